/**
 * The user whose program made a TCP connection from this machine, as Linux lists them: in /proc/net/tcp, or
 * in /proc/net/tcp6 where the program has a socket for IPv6 that speaks IPv4, as Java's have.
 *
 * Only sockets of this network namespace are listed: a container with a network of its own, and a packet that
 * is merely forwarded, have no owner here.
 *
 * @module
 */
import { readFileSync } from "node:fs";

/** Both ends as the program sees them, IPv4 in the usual form. */
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
/** Users outside of this user namespace look like this one. */
const OVERFLOW_UID = 65_534;
const ESTABLISHED = "01";
const TABLES = ["/proc/net/tcp", "/proc/net/tcp6"];
/** How the table of IPv6 writes ::ffff:0:0/96, in which IPv4 addresses are. */
const MAPPED = "0000000000000000FFFF0000";

/** Whether this system says who owns a connection. */
export function knowsConnectionOwners(): boolean {
  return readTable() !== "";
}

/** Uid of the program at `ends.local…`. Null: there is no such program here, or the system does not say. */
export function ownerOfConnection(ends: ConnectionEnds): number | null {
  return findOwner(readTable(), ends);
}

/** The same in a table that was read. A connection that its program has closed already has no owner. */
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

/** As the table writes it: the address as a number in the order of this machine, which is little-endian. */
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
      return ""; // Another system than Linux, or one without IPv6.
    }
  }).join("");
}
