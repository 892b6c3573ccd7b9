/**
 * Overwrites a secret in this process's command line, which every user of the machine can read.
 *
 * @module
 */
import { type Pointer, toArrayBuffer } from "bun:ffi";
import { readFileSync } from "node:fs";

/** Fields of /proc/self/stat after the command's name, by proc(5): where the arguments are in memory. */
const ARG_START = 45;
const ARG_END = 46;
/** Longest command line on Linux; a larger value cannot be its length. */
const BYTES_MAX = 6 * 1024 * 1024;

/**
 * Replaces every occurrence of `secret` with asterisks. False when that failed and the secret is still
 * visible.
 */
export function wipeArgument(secret: string): boolean {
  if (process.platform !== "linux" || secret === "") return false;
  try {
    const stat = readFileSync("/proc/self/stat", "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [start, end] = [Number(fields[ARG_START]), Number(fields[ARG_END])];
    const length = end - start;
    if (!(start > 0 && length > 0 && length <= BYTES_MAX)) return false;
    // The memory itself, not a copy.
    const bytes = Buffer.from(toArrayBuffer(start as Pointer, 0, length));
    const wanted = Buffer.from(secret);
    for (let at = bytes.indexOf(wanted); at !== -1; at = bytes.indexOf(wanted, at)) {
      bytes.fill("*", at, at + wanted.length);
    }
    return !readFileSync("/proc/self/cmdline").includes(wanted);
  } catch {
    return false;
  }
}
