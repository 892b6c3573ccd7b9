/**
 * The order from `qf proxy connect` to the helper that carries a relayed stream.
 *
 * @module
 */
import { z } from "zod";
import { HELLO_BYTES_MAX } from "./hello.ts";
import { lazySchema } from "./lazy-schema.ts";
import { Ed25519Signature, HttpUrl } from "./units.ts";

/**
 * The already proven stream to open, as JSON in the helper's environment. Worthless once opened, since a
 * hello is accepted only once.
 */
export const CarryOrder = lazySchema(() =>
  z.strictObject({
    /** Where the relay is. */
    origin: HttpUrl,
    /** Without its newline. Accepted once. */
    hello: z.string().max(HELLO_BYTES_MAX),
    /** Signature of the relay's request, by the device key. */
    proof: Ed25519Signature,
    /** Longest wait for the peer. */
    timeoutMs: z.int().min(1).max(600_000),
  }),
);
export type CarryOrder = z.infer<typeof CarryOrder>;
