/**
 * Hosted logins in the client API, under `/client/v1/hosted`: a sign-in on a page of management while a
 * terminal waits.
 *
 * @module
 */
import { z } from "zod";
import { LoginProof } from "./client-api.ts";
import { lazySchema } from "./lazy-schema.ts";
import {
  Base64Url,
  Ed25519PublicKey,
  EpochSeconds,
  HostedLoginId,
  HostLabel,
  HttpUrl,
  LocalUser,
} from "./units.ts";

/** POST /client/v1/hosted: opens a hosted login, which by itself grants nothing. */
export const HostedLoginRequest = lazySchema(() =>
  z.strictObject({
    loginKey: Ed25519PublicKey,
    deviceName: HostLabel,
    /** Shown on the page. Empty: unknown. */
    target: z.string().max(253),
    localUser: z.union([LocalUser, z.literal("")]),
    /** Forces a fresh sign-in, whatever session the browser has (TTL 0). */
    fresh: z.boolean(),
    /**
     * The request comes from a terminal in a page. Terminal and sign-in page both show the key's fingerprint.
     */
    browser: z.boolean().optional(),
  }),
);
export type HostedLoginRequest = z.infer<typeof HostedLoginRequest>;

/** Answer to `HostedLoginRequest`. */
export const HostedLoginResponse = lazySchema(() =>
  z.object({
    id: HostedLoginId,
    /** Complete; printed on a line of its own. */
    url: HttpUrl,
    /** Known only to the waiting terminal. A claim needs it in addition to the code. */
    pollSecret: Base64Url,
    confirmation: z.enum(["code", "click"]),
    expiresAtSeconds: EpochSeconds,
  }),
);
export type HostedLoginResponse = z.infer<typeof HostedLoginResponse>;

/** POST /client/v1/hosted/{id}/claim. `code` as typed; absent while polling in `click` mode. */
export const HostedClaimRequest = lazySchema(() =>
  z.strictObject({ pollSecret: Base64Url, code: z.string().max(32).optional() }),
);
export type HostedClaimRequest = z.infer<typeof HostedClaimRequest>;

/** Answer to `HostedClaimRequest`. Only `approved` ends the wait with a login. */
export const HostedClaimResponse = lazySchema(() =>
  z.discriminatedUnion("status", [
    z.object({ status: z.literal("waiting") }),
    z.object({ status: z.literal("wrong_code"), triesLeft: z.int() }),
    /** With `message`, the sign-in failed or the provider refused it; the message is what the page showed. */
    z.object({
      status: z.literal("denied"),
      code: z.string().max(64).optional(),
      message: z.string().max(500).optional(),
      hint: z.string().max(500).optional(),
    }),
    z.object({ status: z.literal("approved"), proof: LoginProof }),
  ]),
);
export type HostedClaimResponse = z.infer<typeof HostedClaimResponse>;
