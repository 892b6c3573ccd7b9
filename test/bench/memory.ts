/** What processes hold of memory, as the kernel counts it. */
import { readdirSync, readFileSync } from "node:fs";

/** `pid` and all that it has started, and those in turn. */
export function processTree(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(Number(name));
    if (parent === undefined) continue;
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [pid];
  for (let at = 0; at < tree.length; at++) tree.push(...(children.get(tree[at] ?? 0) ?? []));
  return tree;
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}

/**
 * Proportional set size of a process in bytes: what is its own, and its share of what it shares. 0 when it is
 * gone.
 */
export function pssBytes(pid: number): number {
  return rollup(pid, "Pss");
}

/** What a process has written itself: its own, and of no file that could be read again. */
export function privateBytes(pid: number): number {
  return rollup(pid, "Private_Dirty");
}

/** Its share of memory without pages of files, which come and go with what was run last. */
function writtenBytes(pid: number): number {
  return rollup(pid, "Pss_Anon");
}

function rollup(pid: number, name: "Pss" | "Pss_Anon" | "Private_Dirty"): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** The same over a process and all below it. */
export function treeBytes(pid: number, bytesOf = pssBytes): number {
  return processTree(pid).reduce((sum, one) => sum + bytesOf(one), 0);
}

/** The least of what `pid` and its tree hold within the time: collectors of garbage take their turn. */
export function settledBytes(pid: number, settleMs: number): Promise<number> {
  return leastBytes(pid, settleMs, pssBytes);
}

/** The same without pages of files: for what something more has cost. */
export function settledWrittenBytes(pid: number, settleMs: number): Promise<number> {
  return leastBytes(pid, settleMs, writtenBytes);
}

async function leastBytes(pid: number, settleMs: number, bytesOf: typeof pssBytes): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  const end = performance.now() + settleMs;
  while (performance.now() < end) {
    await Bun.sleep(500);
    least = Math.min(least, treeBytes(pid, bytesOf));
  }
  return least;
}
