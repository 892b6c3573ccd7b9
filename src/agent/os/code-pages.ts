/**
 * Releases pages of this executable's code that only the start needed.
 *
 * They are unmodified file pages, so the page cache can supply them again. Until then no process is charged
 * for them. Linux only.
 *
 * @module
 */
import { readFileSync, readlinkSync } from "node:fs";
import { createCLibrary } from "../../base/c-library.ts";

/** A part of the address space; `end` is exclusive. */
export interface AddressRange {
  readonly start: bigint;
  readonly end: bigint;
}

// <asm-generic/mman-common.h>
const MADV_DONTNEED = 4;

const libc = createCLibrary({ madvise: { args: ["u64", "u64", "i32"], returns: "i32" } });

/** Releases the pages and returns their address range in bytes. 0: not supported here. */
export function releaseCodePages(): number {
  try {
    const ranges = codeRanges(readFileSync("/proc/self/smaps", "latin1"), readlinkSync("/proc/self/exe"));
    let bytes = 0;
    for (const { start, end } of ranges) {
      if (libc().madvise(start, end - start, MADV_DONTNEED) === 0) bytes += Number(end - start);
    }
    return bytes;
  } catch {
    return 0;
  }
}

/**
 * Ranges in `smaps` (proc(5)) that map `executable`, are not writable and equal the file. Relocated pages
 * were modified and are excluded. Only unmodified pages can be released.
 */
export function codeRanges(smaps: string, executable: string): AddressRange[] {
  return smaps
    .split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
    .map((part) => rangeOf(part, executable))
    .filter((range) => range !== undefined);
}

function rangeOf(part: string, executable: string): AddressRange | undefined {
  const found = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)$/m.exec(part);
  const [, start, end, permissions, path] = found ?? [];
  if (path !== executable || !/^r-[x-]p$/.test(permissions ?? "")) return undefined;
  const isAsInFile = ["Anonymous", "Swap"].every((name) => new RegExp(`^${name}: +0 kB$`, "m").test(part));
  return isAsInFile ? { start: BigInt(`0x${start}`), end: BigInt(`0x${end}`) } : undefined;
}
