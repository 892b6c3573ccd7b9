/**
 * Detects reads of a folder's files with inotify(7), through bun:ffi. Linux on x64 and arm64.
 *
 * @module
 */
import { ptr } from "bun:ffi";
import { createCLibrary } from "../../base/c-library.ts";
import { QfError } from "../../base/errors.ts";

const SYMBOLS = {
  inotify_init1: { args: ["i32"], returns: "i32" },
  inotify_add_watch: { args: ["i32", "ptr", "u32"], returns: "i32" },
} as const;

// <sys/inotify.h>; the same on x64 and arm64.
const IN_CLOSE_NOWRITE = 0x10;
const IN_Q_OVERFLOW = 0x4000;
const IN_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000;
/** Bytes of an event before its name. */
const EVENT_HEADER_BYTES = 16;

const libc = createCLibrary(
  SYMBOLS,
  () => new QfError("ERR_UNAVAILABLE", "this system cannot watch a folder", { hint: "use qf ssh" }),
);

/** A descriptor that reports files of `folder` closed after reading. Throws ERR_UNAVAILABLE. */
export function watchReads(folder: string): number {
  const { inotify_init1, inotify_add_watch } = libc();
  const fd = inotify_init1(IN_NONBLOCK_CLOEXEC);
  const path = Buffer.from(`${folder}\0`);
  if (fd >= 0 && inotify_add_watch(fd, ptr(path), IN_CLOSE_NOWRITE) >= 0) return fd;
  throw new QfError("ERR_UNAVAILABLE", "this system cannot watch a folder", {
    hint: "raise fs.inotify.max_user_instances, or use qf ssh",
  });
}

/** File names in inotify events, in order. Null when events were lost. */
export function readNames(events: Buffer): string[] | null {
  const names: string[] = [];
  for (let at = 0; at + EVENT_HEADER_BYTES <= events.length; ) {
    const mask = events.readUInt32LE(at + 4);
    const length = events.readUInt32LE(at + 12);
    const name = at + EVENT_HEADER_BYTES;
    if ((mask & IN_Q_OVERFLOW) !== 0) return null;
    if (length > 0) names.push(events.toString("utf8", name, name + length).replace(/\0+$/, ""));
    at = name + length;
  }
  return names;
}
