/**
 * Orders to a forward helper and its answers: one line of JSON each, over a socket.
 *
 * Both ends are this executable. For each answer with `passes`, as many descriptors as it says wait on the
 * descriptor socket, in the order of the answers. There is no zod here, because the helper's start delays a
 * connection's first forward.
 *
 * @module
 */
import type { ForwardFailure } from "../../wire/audit-event.ts";

/** Descriptor number of the socket that passes descriptors. */
export const DOOR_FD = 4;
/** Longest line either way: a socket path or two hundred addresses, plus JSON overhead. */
export const DOOR_LINE_BYTES_MAX = 65_536;
/** Most addresses that are tried for one name. */
export const DOOR_ADDRESSES_MAX = 16;
/** Most sockets of one order: one answer's descriptors have room on their way. */
export const SOCKETS_MAX = 64;
/** Time limit for one destination, including its name and all its addresses. */
export const DIAL_TIMEOUT_MS = 10_000;

/** The caller chooses `id`, which is unique among its pending orders. */
export type ForwardHelperOrder = { readonly id: number } & (
  | { readonly kind: "resolve"; readonly host: string }
  | { readonly kind: "dial"; readonly addresses: readonly string[]; readonly port: number }
  | { readonly kind: "dialSocket"; readonly path: string }
  /** Opens `count` unconnected TCP sockets, at most `SOCKETS_MAX`. */
  | { readonly kind: "sockets"; readonly family: 4 | 6; readonly count: number }
  /** Binding the first address is mandatory; the others are bound if they exist. */
  | { readonly kind: "listen"; readonly addresses: readonly string[]; readonly port: number }
  | { readonly kind: "listenSocket"; readonly path: string }
  /** Listens on a socket in a new folder that only the user can enter. */
  | { readonly kind: "listenAgent" }
  /** Ends the listener of order `id`. There is no answer. */
  | { readonly kind: "close" }
);

export type ForwardHelperAnswer = { readonly id: number } & (
  | { readonly kind: "resolved"; readonly addresses: readonly string[] }
  | { readonly kind: "dialed"; readonly passes: 1 }
  | { readonly kind: "sockets"; readonly passes: number }
  | { readonly kind: "listening"; readonly port: number; readonly path: string }
  | { readonly kind: "accepted"; readonly passes: 1; readonly address: string; readonly port: number }
  | { readonly kind: "failed"; readonly failure: ForwardFailure }
);

const FAILURES: Readonly<Record<string, ForwardFailure>> = {
  ENOTFOUND: "unknown_host",
  EAI_AGAIN: "unknown_host",
  ECONNREFUSED: "refused",
  ETIMEDOUT: "timeout",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  ENOENT: "not_found",
  ENOTDIR: "not_found",
  EACCES: "permission",
  EPERM: "permission",
  EADDRINUSE: "in_use",
  EADDRNOTAVAIL: "address_not_here",
};

/** What the system's error `cause` is in audit. */
export function failureOf(cause: unknown): ForwardFailure {
  return FAILURES[(cause as NodeJS.ErrnoException).code ?? ""] ?? "failed";
}

/**
 * Splits a byte stream into lines. Throws when a line exceeds `bytesMax`; the default is a helper's bound.
 */
export function createLines(bytesMax = DOOR_LINE_BYTES_MAX): (data: Uint8Array) => string[] {
  let rest = Buffer.alloc(0);
  return (data) => {
    rest = rest.length === 0 ? Buffer.from(data) : Buffer.concat([rest, data]);
    const lines: string[] = [];
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      lines.push(rest.toString("utf8", 0, end));
      rest = rest.subarray(end + 1);
    }
    if (rest.length > bytesMax) throw new Error("a line without end");
    return lines;
  };
}
