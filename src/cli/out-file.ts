/**
 * Output of lines to standard output, or atomically to a file.
 *
 * @module
 */
import { constants } from "node:fs";
import { open, rename, unlink } from "node:fs/promises";
import { QfError } from "../base/errors.ts";
import { newId } from "../base/random.ts";
import { print } from "./output.ts";

/** Characters written at once. */
const PART_LENGTH = 64 * 1024;

/** Writes `lines`, each with a line feed. `path` undefined: to standard output. */
export async function writeLines(path: string | undefined, lines: AsyncIterable<string>): Promise<void> {
  if (path === undefined) return await inParts(lines, print);
  const temporary = `${path}.${newId()}.tmp`;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const file = await open(temporary, flags, 0o600).catch((cause: unknown) => {
    throw new QfError("ERR_PERMISSION", `the file ${path} cannot be written`, { cause });
  });
  try {
    await inParts(lines, async (text) => void (await file.writeFile(text)));
    await file.sync();
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    await file.close().catch(() => {});
    await unlink(temporary).catch(() => {});
    throw error;
  }
}

async function inParts(lines: AsyncIterable<string>, write: (text: string) => Promise<void>): Promise<void> {
  let text = "";
  for await (const line of lines) {
    text += `${line}\n`;
    if (text.length < PART_LENGTH) continue;
    await write(text);
    text = "";
  }
  if (text !== "") await write(text);
}
