/**
 * Packet filter rules for `--intercept`: connections from certain users' programs to certain addresses, on
 * ports 22 and 22022, are redirected to a port of ours.
 *
 * There are two tables. The redirecting one is owned by this process's socket, so it disappears with the
 * process, however that ends. The other refuses the same connections. It acts only while the first is
 * missing, so that no connection meant for a peer leaves for another network. It is removed when the agent
 * stops in order or starts again.
 *
 * @module
 */
import {
  attribute,
  ENOENT,
  FilterError,
  type FilterMessage,
  type FilterSocket,
  nested,
  number,
  openFilterSocket,
  text,
} from "./netlink.ts";

/** The tables of one agent. Several may run here. */
function tablesOf(peerId: string): readonly [redirect: string, guard: string] {
  return [`qufabric-${peerId}`, `qufabric-guard-${peerId}`];
}

export interface Redirected {
  /** Users whose connections are redirected. */
  readonly uids: readonly number[];
  /** Destination IPv4 addresses. */
  readonly addresses: readonly string[];
}

export interface RedirectTable {
  /** Replaces both lists atomically. On failure throws ERR_UNAVAILABLE and leaves the rules unchanged. */
  set(redirected: Redirected): void;
  /** Removes both tables. */
  close(): void;
}

const IPV4 = 2;
const PORTS = [22, 22_022];
// enum nf_tables_msg_types
const NEW_TABLE = 0;
const DELETE_TABLE = 2;
const NEW_CHAIN = 3;
const NEW_RULE = 6;
const NEW_SET = 9;
const NEW_ELEMENTS = 12;
const DELETE_ELEMENTS = 14;
const CREATE = 0x400;
const APPEND = 0x800;
/** The table is removed with the socket that created it. */
const OWNED = 0x2;
const LOCAL_OUT = 3;
// Priorities from <linux/netfilter_ipv4.h>: destinations are rewritten first, then the rest is filtered.
const PRIORITY_NAT = -100;
const PRIORITY_FILTER = 0;
/** Most elements in one message, whose attributes are limited to 64 kB. */
const ELEMENTS_MAX = 2_000;
/** Key types of sets, shown by nft(8). */
const KEYS = { users: 24, machines: 7, ports: 13 } as const;
const KEY_BYTES = { users: 4, machines: 4, ports: 2 } as const;
type SetName = keyof typeof KEYS;
/** NFTNL_UDATA_SET_KEYBYTEORDER with BYTEORDER_HOST_ENDIAN, in libnftnl's encoding. */
const HOST_ORDER = Buffer.from([0, 4, 1, 0, 0, 0]);

/**
 * Creates both tables, empty, for machine `peerId`'s agent. Connections are redirected to `port` on
 * 127.0.0.1. Throws ERR_UNAVAILABLE.
 */
export function openRedirectTable(peerId: string, port: number): RedirectTable {
  const socket = openFilterSocket();
  const tables = tablesOf(peerId);
  const [redirect, guard] = tables;
  try {
    removeTable(socket, guard);
    socket.commit([
      ...tableOf(redirect, { owned: true, type: "nat", priority: PRIORITY_NAT, verdict: redirection(port) }),
      ...tableOf(guard, { owned: false, type: "filter", priority: PRIORITY_FILTER, verdict: [reset()] }),
    ]);
  } catch (error) {
    socket.close();
    throw error;
  }
  return {
    set(redirected) {
      socket.commit(tables.flatMap((table) => contents(table, redirected)));
    },
    close() {
      try {
        removeTable(socket, guard);
      } finally {
        socket.close();
      }
    },
  };
}

/**
 * Removes the guard of an agent that did not stop in order, where the rules are no longer wanted. Never
 * throws.
 */
export function removeLeftGuard(peerId: string): void {
  try {
    const socket = openFilterSocket();
    try {
      removeTable(socket, tablesOf(peerId)[1]);
    } finally {
      socket.close();
    }
  } catch {
    // Without a packet filter nothing was left.
  }
}

function removeTable(socket: FilterSocket, table: string): void {
  try {
    socket.commit([{ type: DELETE_TABLE, family: IPV4, attributes: [text(1, table)] }]);
  } catch (error) {
    if (!(error instanceof FilterError && error.errno === ENOENT)) throw error;
  }
}

interface TableForm {
  readonly owned: boolean;
  readonly type: string;
  readonly priority: number;
  /** Expressions that apply to packets from those users to those addresses and ports. */
  readonly verdict: readonly Buffer[];
}

function tableOf(table: string, { owned, type, priority, verdict }: TableForm): FilterMessage[] {
  const names: SetName[] = ["users", "machines", "ports"];
  const hook = nested(4, [number(1, LOCAL_OUT), number(2, priority)]);
  return [
    create(NEW_TABLE, [text(1, table), number(2, owned ? OWNED : 0)]),
    ...names.map((name, index) => create(NEW_SET, setOf(table, name, index + 1))),
    elements(NEW_ELEMENTS, table, "ports", PORTS.map(portBytes)),
    create(NEW_CHAIN, [text(1, table), text(3, "output"), hook, text(7, type)]),
    create(
      NEW_RULE,
      [
        text(1, table),
        text(2, "output"),
        nested(
          4,
          [...matches(), ...verdict].map((one) => nested(1, [one])),
        ),
      ],
      APPEND,
    ),
  ];
}

function create(type: number, attributes: readonly Buffer[], flags = 0): FilterMessage {
  return { type, flags: CREATE | flags, family: IPV4, attributes };
}

function setOf(table: string, name: SetName, id: number): Buffer[] {
  const key = [number(4, KEYS[name]), number(5, KEY_BYTES[name])];
  // nft(8) needs to be told which numbers are in host byte order.
  const order = name === "users" ? [attribute(13, HOST_ORDER)] : [];
  return [text(1, table), text(2, name), number(3, 0), ...key, number(10, id), ...order];
}

/** Messages that empty both lists and fill them again. */
function contents(table: string, { uids, addresses }: Redirected): FilterMessage[] {
  return [
    { type: DELETE_ELEMENTS, family: IPV4, attributes: [text(1, table), text(2, "users")] },
    { type: DELETE_ELEMENTS, family: IPV4, attributes: [text(1, table), text(2, "machines")] },
    ...inMessages(table, "users", uids.map(uidBytes)),
    ...inMessages(table, "machines", addresses.map(addressBytes)),
  ];
}

function inMessages(table: string, name: SetName, values: readonly Buffer[]): FilterMessage[] {
  const messages: FilterMessage[] = [];
  for (let from = 0; from < values.length; from += ELEMENTS_MAX) {
    messages.push(elements(NEW_ELEMENTS, table, name, values.slice(from, from + ELEMENTS_MAX)));
  }
  return messages;
}

function elements(type: number, table: string, name: SetName, values: readonly Buffer[]): FilterMessage {
  const list = values.map((value) => nested(1, [nested(1, [attribute(1, value)])]));
  return create(type, [text(1, table), text(2, name), nested(3, list)]);
}

/** In host byte order, as the kernel stores it. */
function uidBytes(uid: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(uid);
  return bytes;
}

function addressBytes(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}

function portBytes(port: number): Buffer {
  return Buffer.from([port >> 8, port & 0xff]);
}

const REGISTER = 1;

/** Matches TCP from a user in the set to a machine and port in the sets. */
function matches(): Buffer[] {
  const skuid = 10;
  const l4proto = 16;
  const tcp = Buffer.from([6]);
  return [
    expression("meta", [number(1, REGISTER), number(2, skuid)]),
    lookup("users"),
    expression("meta", [number(1, REGISTER), number(2, l4proto)]),
    expression("cmp", [number(1, REGISTER), number(2, 0), nested(3, [attribute(1, tcp)])]),
    payload({ header: 1, offset: 16, length: 4 }),
    lookup("machines"),
    payload({ header: 2, offset: 2, length: 2 }),
    lookup("ports"),
  ];
}

function expression(name: string, data: readonly Buffer[]): Buffer {
  return Buffer.concat([text(1, name), nested(2, data)]);
}

function lookup(set: SetName): Buffer {
  return expression("lookup", [text(1, set), number(2, REGISTER)]);
}

/** `header`: 1 is IP, 2 is TCP. */
function payload({ header, offset, length }: { header: number; offset: number; length: number }): Buffer {
  return expression("payload", [
    number(1, REGISTER),
    number(2, header),
    number(3, offset),
    number(4, length),
  ]);
}

function redirection(port: number): Buffer[] {
  const value = nested(2, [attribute(1, portBytes(port))]);
  return [expression("immediate", [number(1, REGISTER), value]), expression("redir", [number(1, REGISTER)])];
}

/** Replies with a TCP reset, so that the program fails at once. */
function reset(): Buffer {
  const tcpReset = 1;
  return expression("reject", [number(1, tcpReset)]);
}
