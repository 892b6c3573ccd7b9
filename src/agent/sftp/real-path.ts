/**
 * realpath(3) with SFTP's semantics: the last component need not exist.
 *
 * @module
 */
import { lstatSync, readlinkSync } from "node:fs";
import { constants } from "node:os";
import { PATH_BYTES_MAX } from "./protocol.ts";
import { ErrnoError, errnoOf } from "./status.ts";

/** The kernel's limit. */
const LINKS_MAX = 40;
const { ENOENT, ENAMETOOLONG, ELOOP, ENOTDIR } = constants.errno;

/**
 * An absolute path without `.`, `..` or symbolic links. `base` is absolute, and relative paths start there.
 * Throws errors of lstat(2) and readlink(2).
 */
export function realPath(path: Buffer, base: Buffer): Buffer {
  // latin1 maps each byte to one character, so that no byte of a name is lost.
  const given = path.toString("latin1");
  let left = partsOf(given.startsWith("/") ? given : `${base.toString("latin1")}/${given}`);
  let resolved: string[] = [];
  let links = 0;
  while (left.length > 0) {
    const part = left.shift() ?? "";
    if (part === "..") {
      resolved.pop();
      continue;
    }
    const here = toBytes([...resolved, part]);
    const kind = kindOf(here, left.length === 0);
    if (kind === "link") {
      if (++links > LINKS_MAX) throw new ErrnoError(ELOOP);
      const target = readlinkSync(here, { encoding: "buffer" }).toString("latin1");
      left = [...partsOf(target), ...left];
      if (target.startsWith("/")) resolved = [];
      continue;
    }
    if (kind === "file" && left.length > 0) throw new ErrnoError(ENOTDIR);
    resolved.push(part);
  }
  return toBytes(resolved);
}

function kindOf(path: Buffer, isLast: boolean): "link" | "folder" | "file" | "nothing" {
  try {
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) return "link";
    return stats.isDirectory() ? "folder" : "file";
  } catch (cause) {
    if (isLast && errnoOf(cause) === ENOENT) return "nothing";
    throw cause;
  }
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

function toBytes(parts: readonly string[]): Buffer {
  const bytes = Buffer.from(`/${parts.join("/")}`, "latin1");
  if (bytes.length > PATH_BYTES_MAX) throw new ErrnoError(ENAMETOOLONG);
  return bytes;
}
