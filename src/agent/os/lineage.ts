/**
 * Tells processes that run for a connection of ours from those of somebody at the machine: by what the
 * process and its ancestors cannot easily shed.
 *
 * @module
 */
import { CONNECTION_MARK } from "./connection-mark.ts";
import { CGROUP_FOLDER } from "./containment.ts";
import { readLocalText } from "./local-text.ts";

/** Longest way up to process 1 that is gone; beyond it nobody can tell. */
const ANCESTORS_MAX = 1_024;

/**
 * Whether process `pid` runs for a connection of ours: it or one it descends from is in a connection's
 * control group, has a connection's mark in its environment, or was started by one of `agentPids`. True as
 * well when nobody can tell: a process that is gone, or of another PID namespace.
 */
export function isOfAnyConnection(pid: number, agentPids: readonly number[]): boolean {
  let current = pid;
  for (let ways = 0; ways < ANCESTORS_MAX; ways++) {
    if (current === 0) return ways === 0;
    if (agentPids.includes(current)) return true;
    const status = readLocalText(`/proc/${current}/status`);
    const parent = /^PPid:\s+(\d+)/m.exec(status)?.[1];
    // The process itself must be there; of an ancestor that ends meanwhile nobody can tell.
    if (parent === undefined) return true;
    if (isInConnectionGroup(current) || hasMark(current)) return true;
    current = Number(parent);
  }
  return true;
}

/** Below the folder of connections, wherever the cgroup file system begins. */
function isInConnectionGroup(pid: number): boolean {
  const path = /^0::(.*)$/m.exec(readLocalText(`/proc/${pid}/cgroup`))?.[1] ?? "";
  return path.includes(`/${CGROUP_FOLDER}/`);
}

/** Any mark, also of an agent before this one: nobody else has one. */
function hasMark(pid: number): boolean {
  return `\0${readLocalText(`/proc/${pid}/environ`)}`.includes(`\0${CONNECTION_MARK}=`);
}
