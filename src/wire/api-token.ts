/**
 * Exchange of a person's login for a REST API token: `POST /client/v1/tokens`.
 *
 * @module
 */
import { z } from "zod";
import { signedByPerson } from "./client-api.ts";
import { lazySchema } from "./lazy-schema.ts";
import { EpochSeconds, PeerId } from "./units.ts";

/**
 * Longest life of an API token made from a login, in seconds. Each command asks for a new one; none is
 * stored.
 */
export const API_TOKEN_SECONDS = 300;

/**
 * POST /client/v1/tokens: a short-lived API token for the person who signed in, with their role's rights.
 * Signatures by login key and device key over signedBytes("api-token", …, {challenge, loginKey, devicePeerId,
 * proofHash, timeSeconds}).
 */
export const ApiTokenRequest = lazySchema(() =>
  z.strictObject({
    ...signedByPerson(),
    devicePeerId: PeerId,
  }),
);
/** As parsed. */
export type ApiTokenRequest = z.infer<typeof ApiTokenRequest>;

/** The answer: the token and when it ends. */
export const ApiTokenResponse = lazySchema(() =>
  z.object({
    /** Shown nowhere else, and never written to disk by the client. */
    token: z.string().min(16).max(256),
    /** At most `API_TOKEN_SECONDS` from now, and never past the login. */
    expiresAtSeconds: EpochSeconds,
  }),
);
/** As parsed. */
export type ApiTokenResponse = z.infer<typeof ApiTokenResponse>;
