/**
 * Finds the user at the other end of a loopback TCP connection, from /proc/net on Linux.
 *
 * @module
 */
import { readFileSync } from "node:fs";

/** Columns of /proc/net/tcp, by proc(5). */
const LOCAL_ADDRESS = 1;
const REMOTE_ADDRESS = 2;
const UID = 7;
/** The uid shown for users outside this user namespace. */
const OVERFLOW_UID = 65_534;

/** User of the process at `fromPort` of a loopback connection to our `toPort`. Null: not known. */
export function uidOfLoopbackPeer(fromPort: number, toPort: number): number | null {
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    const uid = findUid(readTable(table), fromPort, toPort);
    if (uid !== null) return uid === OVERFLOW_UID ? null : uid;
  }
  return null;
}

function readTable(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // Not Linux.
  }
}

/** Only ports are compared: both ends are on this machine, and a pair of ports is used only once. */
export function findUid(table: string, fromPort: number, toPort: number): number | null {
  for (const line of table.split("\n").slice(1)) {
    const columns = line.trim().split(/\s+/);
    if (portOf(columns[LOCAL_ADDRESS]) !== fromPort || portOf(columns[REMOTE_ADDRESS]) !== toPort) continue;
    const uid = Number(columns[UID]);
    if (Number.isInteger(uid)) return uid;
  }
  return null;
}

function portOf(address = ""): number {
  return Number.parseInt(address.slice(address.lastIndexOf(":") + 1), 16);
}
