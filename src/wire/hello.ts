/**
 * The first line of a direct or relayed stream. It proves which device dials which peer.
 *
 * `QUFABRIC/1 <base64url(JSON of Hello)> <base64url(signature)>\n`. Signed over `signedBytes("hello", …)`
 * with the fields in the order of `Hello`. The hello proves who dialled, not who speaks afterwards; SSH
 * proves identity.
 *
 * @module
 */
import { z } from "zod";
import { lazySchema } from "./lazy-schema.ts";
import { HELLO_PREFIX } from "./terminal-page.ts";
import { Ed25519Signature, EpochSeconds, LocalUser, PeerId, Port } from "./units.ts";

export { HELLO_PREFIX };

/** Longest line in bytes, with its line feed. Bounds what a stranger can make a machine buffer. */
export const HELLO_BYTES_MAX = 1024;
/** A stream to this port is a ping (`wire/ping.ts`), not SSH; RFC 862 calls it echo. */
export const PING_PORT = 7;
/** Longest wait for the whole line, in milliseconds. */
export const HELLO_TIMEOUT_MS = 5_000;

/**
 * A checkpoint of the account's log as management gave it to the dialler, without the origin and key, which
 * the machine knows. It reveals a management that shows different logs to parts of a fleet.
 */
export const HelloCheckpoint = lazySchema(() =>
  z.strictObject({
    size: z.int().min(0),
    /** Encoded as in notes. */
    root: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
    signature: Ed25519Signature,
  }),
);
export type HelloCheckpoint = z.infer<typeof HelloCheckpoint>;

/**
 * The carrier of another program's bytes, for which the dialler cannot vouch: `qf proxy socks` or an agent.
 * Such a stream proves no device, and is sent only to a machine that accepts it.
 */
export const HelloVia = lazySchema(() =>
  z.strictObject({
    by: z.enum(["socks", "intercept"]),
    /**
     * The OS account that runs the program, according to the dialler's kernel. Null: the person's own
     * (`socks`).
     */
    localUser: LocalUser.nullable(),
  }),
);
export type HelloVia = z.infer<typeof HelloVia>;

/** The hello itself: who dials whom, when. Accepted once, and only near its time (`CLOCK_SKEW_SECONDS`). */
export const Hello = lazySchema(() =>
  z.strictObject({
    source: PeerId,
    target: PeerId,
    port: Port,
    timeSeconds: EpochSeconds,
    /** 16 random bytes, base64url. The target remembers it for as long as the hello's time is acceptable. */
    nonce: z.string().regex(/^[A-Za-z0-9_-]{22}$/),
    /** Sent only to a machine that accepts it. */
    checkpoint: HelloCheckpoint.optional(),
    /** Absent: the dialler itself speaks. */
    via: HelloVia.optional(),
  }),
);
export type Hello = z.infer<typeof Hello>;
