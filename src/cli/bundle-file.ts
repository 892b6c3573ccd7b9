/**
 * Reader of bundle files, line by line. A file may have any length. A line longer than any entry ends the
 * reading.
 *
 * @module
 */
import { open } from "node:fs/promises";
import { QfError } from "../base/errors.ts";

const CHUNK_BYTES = 256 * 1024;
const LF = 0x0a;

/** The lines of the file at `path`. Throws ERR_TOO_LARGE for a longer line, and ERR_NOT_FOUND. */
export async function* fileLines(path: string, lineBytesMax: number): AsyncGenerator<string> {
  const file = await open(path, "r").catch((cause: unknown) => {
    throw new QfError("ERR_NOT_FOUND", `the file ${path} cannot be read`, { cause });
  });
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let rest: Buffer[] = [];
    let restBytes = 0;
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0) break;
      let start = 0;
      for (let end = chunk.indexOf(LF); end !== -1 && end < bytesRead; end = chunk.indexOf(LF, start)) {
        yield Buffer.concat([...rest, chunk.subarray(start, end)]).toString("utf8");
        [rest, restBytes, start] = [[], 0, end + 1];
      }
      rest.push(Buffer.from(chunk.subarray(start, bytesRead)));
      restBytes += bytesRead - start;
      if (restBytes > lineBytesMax) throw new QfError("ERR_TOO_LARGE", "a line is longer than any entry");
    }
    if (restBytes > 0) yield Buffer.concat(rest).toString("utf8");
  } finally {
    await file.close();
  }
}
