/**
 * Distinguishes processes of our connections from those of local users, by what a process and its ancestors
 * cannot easily shed.
 *
 * @module
 */
import { CONNECTION_MARK } from "./connection-mark.ts";
import { CGROUP_FOLDER } from "./containment.ts";
import { readLocalText } from "./local-text.ts";

/** Longest chain of ancestors that is followed. Beyond it the answer is unknown. */
const ANCESTORS_MAX = 1_024;

/**
 * Whether process `pid` runs for one of our connections: it or an ancestor is in a connection's control
 * group, has a connection's mark in its environment, or was started by one of `agentPids`. True as well if
 * that is unknown, as for a process that is gone or in another PID namespace.
 */
export function isOfAnyConnection(pid: number, agentPids: readonly number[]): boolean {
  let current = pid;
  for (let ways = 0; ways < ANCESTORS_MAX; ways++) {
    if (current === 0) return ways === 0;
    if (agentPids.includes(current)) return true;
    const status = readLocalText(`/proc/${current}/status`);
    const parent = /^PPid:\s+(\d+)/m.exec(status)?.[1];
    // The process itself must exist. If an ancestor ends meanwhile, the answer is unknown.
    if (parent === undefined) return true;
    if (isInConnectionGroup(current) || hasMark(current)) return true;
    current = Number(parent);
  }
  return true;
}

/** Below the folder of connections, wherever the cgroup file system is mounted. */
function isInConnectionGroup(pid: number): boolean {
  const path = /^0::(.*)$/m.exec(readLocalText(`/proc/${pid}/cgroup`))?.[1] ?? "";
  return path.includes(`/${CGROUP_FOLDER}/`);
}

/** Any mark, also one made by an earlier agent, because nothing else sets one. */
function hasMark(pid: number): boolean {
  return `\0${readLocalText(`/proc/${pid}/environ`)}`.includes(`\0${CONNECTION_MARK}=`);
}
