/**
 * Documents of an external identity provider: its discovery document (OpenID Connect Discovery 1.0 section
 * 3), its keys (RFC 7517) and its answer to a code (RFC 6749 section 5.1). Only what we use is read.
 *
 * @module
 */
import { z } from "zod";
import { HttpUrl } from "./units.ts";

export const ProviderDocument = z.object({
  /** Must equal the issuer that was asked, byte for byte. */
  issuer: HttpUrl,
  authorization_endpoint: HttpUrl,
  token_endpoint: HttpUrl,
  jwks_uri: HttpUrl,
});
export type ProviderDocument = z.infer<typeof ProviderDocument>;

/** Keys of all kinds; those we cannot use are left out by whoever reads it. */
export const KeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string().max(16) })).max(256) });

/** Kinds of key that one of `JWS_ALGORITHMS` can be checked with, with nothing private in them. */
export const SignatureJwk = z.discriminatedUnion("kty", [
  z.object({
    kty: z.literal("RSA"),
    n: z.string().min(342).max(1400),
    e: z.string().max(16),
    kid: z.string().max(256).optional(),
    alg: z.string().max(32).optional(),
    use: z.literal("sig").optional(),
  }),
  z.object({
    kty: z.literal("EC"),
    crv: z.literal("P-256"),
    x: z.string().max(64),
    y: z.string().max(64),
    kid: z.string().max(256).optional(),
    alg: z.string().max(32).optional(),
    use: z.literal("sig").optional(),
  }),
  z.object({
    kty: z.literal("OKP"),
    crv: z.literal("Ed25519"),
    x: z.string().max(64),
    kid: z.string().max(256).optional(),
    alg: z.string().max(32).optional(),
    use: z.literal("sig").optional(),
  }),
]);
export type SignatureJwk = z.infer<typeof SignatureJwk>;
