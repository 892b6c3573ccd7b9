/**
 * Finds the user whose program made a TCP connection from this machine. Linux lists it in /proc/net/tcp, or
 * in /proc/net/tcp6 when the program uses an IPv6 socket for IPv4, as Java does.
 *
 * Only sockets of this network namespace are listed. Connections from a container with its own network, and
 * forwarded packets, have no owner here.
 *
 * @module
 */
import { readFileSync } from "node:fs";

/** Both ends as the program sees them; IPv4 addresses are dotted quads. */
export interface ConnectionEnds {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

// Columns of /proc/net/tcp, by proc(5).
const LOCAL = 1;
const REMOTE = 2;
const STATE = 3;
const UID = 7;
const INODE = 9;
/** The uid shown for users outside this user namespace. */
const OVERFLOW_UID = 65_534;
const ESTABLISHED = "01";
const TABLES = ["/proc/net/tcp", "/proc/net/tcp6"];
/** How the IPv6 table writes the prefix of IPv4-mapped addresses, ::ffff:0:0/96. */
const MAPPED = "0000000000000000FFFF0000";

/** Whether this system can tell who owns a connection. */
export function knowsConnectionOwners(): boolean {
  return readTable() !== "";
}

/** Uid of the program at `ends.local…`. Null when no such program is found or the system cannot tell. */
export function ownerOfConnection(ends: ConnectionEnds): number | null {
  return findOwner(readTable(), ends);
}

/** The same, from the text of a table. A connection that its program has already closed has no owner. */
export function findOwner(table: string, ends: ConnectionEnds): number | null {
  const local = written(ends.localAddress, ends.localPort);
  const remote = written(ends.remoteAddress, ends.remotePort);
  if (local === null || remote === null) return null;
  for (const line of table.split("\n")) {
    if (!line.includes(local)) continue;
    const columns = line.trim().split(/\s+/);
    const isBetween = (form: string): boolean =>
      columns[LOCAL] === form + local && columns[REMOTE] === form + remote;
    if (columns[STATE] !== ESTABLISHED || !(isBetween("") || isBetween(MAPPED))) continue;
    const uid = Number(columns[UID]);
    const hasProgram = columns[INODE] !== undefined && columns[INODE] !== "0";
    return Number.isInteger(uid) && uid !== OVERFLOW_UID && hasProgram ? uid : null;
  }
  return null;
}

/** An address as the table writes it: a number in this machine's byte order, which is little-endian. */
function written(address: string, port: number): string | null {
  const parts = address.replace(/^::ffff:/i, "").split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part))) return null;
  const bytes = Buffer.from(parts.map(Number)).reverse().toString("hex").toUpperCase();
  return `${bytes}:${port.toString(16).toUpperCase().padStart(4, "0")}`;
}

function readTable(): string {
  return TABLES.map((table) => {
    try {
      return readFileSync(table, "latin1");
    } catch {
      return ""; // Not Linux, or no IPv6.
    }
  }).join("");
}
