/**
 * Requests to a forward helper and its answers: one line of JSON each, over a socket.
 *
 * Both ends are this executable. An answer that says `passes` has one descriptor waiting on the socket
 * between them, in the order of the answers. Kept free of zod: the helper's start is on the path of a
 * connection's first forward.
 *
 * @module
 */
import type { ForwardFailure } from "../../wire/audit-event.ts";

/** Where a helper finds the socket that descriptors go through. */
export const DOOR_FD = 4;
/** Longest line either way: a socket path or two hundred addresses, and what JSON adds. */
export const DOOR_LINE_BYTES_MAX = 65_536;
/** Addresses of one name that are tried. */
export const DOOR_ADDRESSES_MAX = 16;
/** Longest for one destination: its name and all of its addresses. */
export const DIAL_TIMEOUT_MS = 10_000;

/** `id` is the asker's, and unique among what is under way. */
export type ForwardHelperOrder = { readonly id: number } & (
  | { readonly kind: "resolve"; readonly host: string }
  | { readonly kind: "dial"; readonly addresses: readonly string[]; readonly port: number }
  | { readonly kind: "dialSocket"; readonly path: string }
  /** The first address must be taken; of the others, those that are there. */
  | { readonly kind: "listen"; readonly addresses: readonly string[]; readonly port: number }
  | { readonly kind: "listenSocket"; readonly path: string }
  /** A socket in a new folder that nobody else can enter. */
  | { readonly kind: "listenAgent" }
  /** Ends the listener that order `id` began; answered with nothing. */
  | { readonly kind: "close" }
);

export type ForwardHelperAnswer = { readonly id: number } & (
  | { readonly kind: "resolved"; readonly addresses: readonly string[] }
  | { readonly kind: "dialed"; readonly passes: true }
  | { readonly kind: "listening"; readonly port: number; readonly path: string }
  | { readonly kind: "accepted"; readonly passes: true; readonly address: string; readonly port: number }
  | { readonly kind: "failed"; readonly failure: ForwardFailure }
);

/**
 * Cuts a stream of bytes into lines. Throws when one is longer than `bytesMax`, by default any of a helper's.
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
