/** Recordings of a lab: as its management lists and gives them out, and as they lie on disks. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { unpackChunk } from "../../src/recording/chunk.ts";
import type { Recording, RecordingPage } from "../../src/wire/recording.ts";
import type { Lab } from "./lab.ts";

export function listRecordings(lab: Lab): Promise<Recording[]> {
  return lab.api<Recording[]>("GET", "/api/recordings");
}

/** The recording that `run` makes, once it is over. */
export async function recordingOf(lab: Lab, run: () => Promise<unknown>): Promise<Recording> {
  const known = new Set((await listRecordings(lab)).map(({ id }) => id));
  await run();
  return lab.until("the recording", async () =>
    (await listRecordings(lab)).find(({ id, status }) => !known.has(id) && status !== "running"),
  );
}

/** The bytes of a recording, as management has them: of an encrypted one, age files. */
export async function storedBytes(lab: Lab, id: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let from = 0; ; ) {
    const page = await lab.api<RecordingPage>("GET", `/api/recordings/${id}/chunks?from=${from}`);
    parts.push(...page.chunks.map(({ data }) => Buffer.from(data, "base64")));
    if (page.chunks.length === 0) return Buffer.concat(parts);
    from = page.next;
  }
}

/** What can be read of the files in `folders`, as they are and unpacked. */
export function readableIn(folders: readonly string[]): string {
  const files = folders.flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name))
      : [],
  );
  return files
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path))
    .flatMap((bytes) => [bytes.toString("latin1"), ...frames(bytes)])
    .join("\n");
}

/** Whatever in `bytes` is a zstd frame, to its end or that of the next. */
function frames(bytes: Buffer): string[] {
  const found: string[] = [];
  for (let at = bytes.indexOf("\x28\xb5\x2f\xfd", 0, "latin1"); at >= 0; ) {
    const next = bytes.indexOf("\x28\xb5\x2f\xfd", at + 4, "latin1");
    try {
      found.push(Buffer.from(unpackChunk(bytes.subarray(at, next < 0 ? undefined : next))).toString());
    } catch {
      // It is no frame of ours.
    }
    at = next;
  }
  return found;
}
