/**
 * Compressed copies of a file that has none beside it, made at the first request in a folder of our own.
 *
 * @module
 */
import { createWriteStream } from "node:fs";
import { readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { makeDirectory } from "../../base/files.ts";
import { newId } from "../../base/random.ts";

/** Compression formats of downloads. Each is also the file name's extension. */
export const PACKINGS = ["zst", "gz"] as const;
export type Packing = (typeof PACKINGS)[number];

/** The cast is needed because the DOM's types, loaded beside Bun's, lack zstd. */
const FORMATS = { zst: "zstd" as "gzip", gz: "gzip" } as const;

export interface PackedFiles {
  /** Path of the packed copy of `source`, whose digest is `sha256`. Copies are made one at a time. */
  pathOf(source: string, sha256: string, packing: Packing): Promise<string>;
}

/** Packed copies in `folder`, which is created when needed. Copies of other sources are deleted. */
export function createPackedFiles(folder: string): PackedFiles {
  const known = new Map<string, Promise<string>>();
  let last: Promise<unknown> = Promise.resolve();
  return {
    pathOf(source, sha256, packing) {
      const path = join(folder, `${sha256}.${packing}`);
      const found = known.get(path);
      if (found !== undefined) return found;
      const made = last.then(() => packTo(path, source, packing));
      last = made.catch(() => {});
      known.set(path, made);
      made.catch(() => known.delete(path));
      return made;
    },
  };
}

async function packTo(path: string, source: string, packing: Packing): Promise<string> {
  if ((await stat(path).catch(() => null)) !== null) return path;
  const folder = join(path, "..");
  await makeDirectory(folder, 0o700);
  await removeOthers(folder, path);
  const temporary = `${path}.${newId()}.tmp`;
  try {
    const packed = Bun.file(source).stream().pipeThrough(new CompressionStream(FORMATS[packing]));
    await pipeline(packed, createWriteStream(temporary, { mode: 0o600 }));
    await rename(temporary, path);
  } catch (cause) {
    await unlink(temporary).catch(() => {});
    throw cause;
  }
  return path;
}

/** Deletes copies of replaced executables and leftovers of killed processes. */
async function removeOthers(folder: string, path: string): Promise<void> {
  const [digest = ""] = (path.split("/").at(-1) ?? "").split(".");
  for (const name of await readdir(folder)) {
    if (/^[0-9a-f]{64}\./.test(name) && !name.startsWith(`${digest}.`)) await unlink(join(folder, name));
  }
}
