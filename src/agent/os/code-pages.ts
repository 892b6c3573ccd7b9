/**
 * Pages of this executable's own code, given back once they were needed for the start alone.
 *
 * They are unchanged pages of a file, so what is needed again comes from the system's cache of it. Until then
 * they count as no process's memory. Linux only.
 *
 * @module
 */
import { readFileSync, readlinkSync } from "node:fs";
import { createCLibrary } from "../../base/c-library.ts";

/** Part of the address space; `end` is the first address behind it. */
export interface AddressRange {
  readonly start: bigint;
  readonly end: bigint;
}

// <asm-generic/mman-common.h>
const MADV_DONTNEED = 4;

const libc = createCLibrary({ madvise: { args: ["u64", "u64", "i32"], returns: "i32" } });

/** Gives the pages back; answers how many bytes of addresses that were. 0: this system has no such thing. */
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
 * What of `smaps` (proc(5)) is of the file `executable` and holds what the file does: nobody may write there,
 * and no page of it was ever changed, as relocated and frozen ones are. Only that can be given back.
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
