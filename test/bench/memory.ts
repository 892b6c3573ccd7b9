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

function rollup(pid: number, name: "Pss" | "Private_Dirty"): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** The same over a process and all below it. */
export function treeBytes(pid: number): number {
  return processTree(pid).reduce((sum, one) => sum + pssBytes(one), 0);
}

/** The least of what `pid` and its tree hold within the time: collectors of garbage take their turn. */
export async function settledBytes(pid: number, settleMs: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  const end = performance.now() + settleMs;
  while (performance.now() < end) {
    await Bun.sleep(500);
    least = Math.min(least, treeBytes(pid));
  }
  return least;
}
