/**
 * State files: written atomically by rename, read strictly, and set aside when damaged.
 *
 * @module
 */
import { closeSync, constants, openSync, write as writeCallback } from "node:fs";
import { mkdir, open, readFile, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { QfError } from "./errors.ts";
import { newId } from "./new-id.ts";
import { parseJson } from "./parse-json.ts";
import { platform } from "./platform/platform.ts";
import { named } from "./system-error.ts";

export { parseJson } from "./parse-json.ts";

/**
 * Writes `data` to `path` so that a reader, or a crash at any moment, sees the old file or the new one. The
 * new file has `mode` regardless of the umask. Throws the system's error, with `path` in it.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array, mode: number): Promise<void> {
  const temporary = `${path}.${newId()}.tmp`;
  const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
  try {
    await file.chmod(mode);
    await file.writeFile(data);
    await file.sync();
  } catch (cause) {
    await file.close();
    await unlink(temporary).catch(() => {});
    throw named(cause, path);
  }
  await file.close();
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

const write = promisify(writeCallback);

/**
 * Appends `data` to `path`, created with `mode` if absent, and resolves once it is on disk. Only the write
 * runs in another thread; open and close are too short to hand over.
 */
export async function appendDurably(path: string, data: Uint8Array, mode: number): Promise<void> {
  const { O_WRONLY, O_APPEND, O_CREAT, O_DSYNC } = constants;
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_DSYNC, mode);
  try {
    for (let at = 0; at < data.length; ) {
      const { bytesWritten } = await write(fd, data, at, data.length - at);
      if (bytesWritten === 0) throw new Error("nothing was written");
      at += bytesWritten;
    }
  } finally {
    closeSync(fd);
  }
}

/** Writes `value` as indented JSON with a final newline; see `writeFileAtomic`. */
export function writeJsonAtomic(path: string, value: unknown, mode: number): Promise<void> {
  return writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`, mode);
}

/** The one method of a zod schema used here, so that base does not depend on zod. */
export interface Parser<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: unknown };
}

/**
 * Reads and parses a JSON state file. Undefined when the file does not exist.
 *
 * Throws ERR_STATE_DAMAGED when it does not parse, after moving the file to `<path>.damaged-<id>`; otherwise
 * the system's error.
 */
export async function readJsonState<T>(path: string, parser: Parser<T>): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw named(cause, path);
  }
  const parsed = parser.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const aside = `${path}.damaged-${newId()}`;
  await rename(path, aside);
  throw new QfError("ERR_STATE_DAMAGED", `the state file ${path} is damaged and was set aside as ${aside}`, {
    hint: "restore it from a backup, or start over without it",
    cause: parsed.error,
  });
}

/**
 * Reads a small file that a person has named, as UTF-8. Throws ERR_TOO_LARGE above `bytesMax`, also for an
 * endless file such as a device; otherwise the system's error.
 */
export async function readSmallFile(path: string, bytesMax: number): Promise<string> {
  const file = await open(path, constants.O_RDONLY);
  try {
    const bytes = Buffer.alloc(bytesMax + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, null);
      length += bytesRead;
      if (length > bytesMax) throw new QfError("ERR_TOO_LARGE", `the file ${path} is too large`);
      if (bytesRead === 0) return bytes.toString("utf8", 0, length);
    }
  } finally {
    await file.close();
  }
}

/**
 * Creates the folder `path` with `mode`, and its parents with the default mode. An existing folder is left
 * unchanged.
 */
export async function makeDirectory(path: string, mode: number): Promise<void> {
  await mkdir(path, { recursive: true, mode });
}

async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open a folder as a file.
  if (platform.name === "windows") return;
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
