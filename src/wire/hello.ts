/**
 * The first line of a direct or relayed stream: which device dials which peer, proven.
 *
 * `QUFABRIC/1 <base64url(JSON of Hello)> <base64url(signature)>\n`. Signed over
 * `signedBytes("hello", …)` with the fields in the order of `Hello`. The hello proves who dialled,
 * not who speaks afterwards: identity is SSH's.
 *
 * @module
 */
import { z } from "zod";
import { lazySchema } from "./lazy-schema.ts";
import { HELLO_PREFIX } from "./terminal-page.ts";
import { Ed25519Signature, EpochSeconds, LocalUser, PeerId, Port } from "./units.ts";

export { HELLO_PREFIX };

/** Longest line in bytes, with its line feed: what a stranger can make a machine hold. */
export const HELLO_BYTES_MAX = 1024;
/** A stream to this port is a ping (`wire/ping.ts`), not SSH; RFC 862 calls it echo. */
export const PING_PORT = 7;
/** Longest wait for the whole line, in milliseconds. */
export const HELLO_TIMEOUT_MS = 5_000;

/**
 * A checkpoint of the account's log as management gave it to the dialler, without what the machine knows: the
 * origin and the key. So two halves of a fleet that are shown different logs meet.
 */
export const HelloCheckpoint = lazySchema(() =>
  z.strictObject({
    size: z.int().min(0),
    /** As notes have it. */
    root: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
    signature: Ed25519Signature,
  }),
);
export type HelloCheckpoint = z.infer<typeof HelloCheckpoint>;

/**
 * What carries the bytes of another program, which the dialler cannot speak for: `qf proxy socks`, or an
 * agent. Such a stream proves no device, and is only for a machine that says it takes one.
 */
export const HelloVia = lazySchema(() =>
  z.strictObject({
    by: z.enum(["socks", "intercept"]),
    /** The account whose program it is, as the dialler's kernel says. Null: the person's own (`socks`). */
    localUser: LocalUser.nullable(),
  }),
);
export type HelloVia = z.infer<typeof HelloVia>;

/** The hello itself: who dials whom, when. Taken once, and only near its time (`CLOCK_SKEW_SECONDS`). */
export const Hello = lazySchema(() =>
  z.strictObject({
    source: PeerId,
    target: PeerId,
    port: Port,
    timeSeconds: EpochSeconds,
    /** 16 random bytes, base64url; remembered by the target for as long as the time would pass. */
    nonce: z.string().regex(/^[A-Za-z0-9_-]{22}$/),
    /** Only to a machine that says it takes one. */
    checkpoint: HelloCheckpoint.optional(),
    /** Absent: the dialler itself speaks. */
    via: HelloVia.optional(),
  }),
);
export type Hello = z.infer<typeof Hello>;
