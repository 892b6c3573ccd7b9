/**
 * Documents of an external identity provider: its discovery document (OpenID Connect Discovery 1.0 section
 * 3), its keys (RFC 7517) and its answer to a code (RFC 6749 section 5.1). Only fields we use are read.
 *
 * @module
 */
import { z } from "zod";
import { HttpUrl } from "./units.ts";

/** Client authentication methods that we support at the token endpoint (OpenID Connect Core 9). */
export const CLIENT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"] as const;
/** One of `CLIENT_AUTH_METHODS`. */
export type ClientAuthMethod = (typeof CLIENT_AUTH_METHODS)[number];

/** An advisory list. A malformed one counts as absent. */
const listed = z.array(z.string().max(256)).max(1024).optional().catch(undefined);

/** The discovery document of a provider (OpenID Connect Discovery 1.0 section 3), as far as we use it. */
export const ProviderDocument = z.object({
  /** Must equal the requested issuer byte for byte. */
  issuer: HttpUrl,
  authorization_endpoint: HttpUrl,
  token_endpoint: HttpUrl,
  jwks_uri: HttpUrl,
  /** Absent: it has none. */
  userinfo_endpoint: HttpUrl.optional(),
  /** Absent means `client_secret_basic`, per the specification. */
  token_endpoint_auth_methods_supported: listed,
  id_token_signing_alg_values_supported: listed,
  scopes_supported: listed,
  claims_supported: listed,
  /** RFC 9207. */
  authorization_response_iss_parameter_supported: z.boolean().optional(),
});
export type ProviderDocument = z.infer<typeof ProviderDocument>;

/**
 * A successful answer of the token endpoint (RFC 6749 section 5.1, OpenID Connect Core 3.1.3.3). We do not
 * use token types, expiry or refresh tokens.
 */
export const TokenAnswer = z.object({
  id_token: z.string().min(1).max(1_048_576),
  access_token: z.string().min(1).max(65_536).optional(),
});

/** A refusal of the token endpoint (RFC 6749 section 5.2). */
export const ProviderErrorAnswer = z.object({
  error: z.string().min(1).max(256),
  error_description: z.string().max(4_096).optional(),
});

/** A JWK Set (RFC 7517 section 5). Keys of any type; the reader skips those it cannot use. */
export const KeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string().max(16) })).max(256) });

/** Public keys usable with one of `JWS_ALGORITHMS`, without private parameters. */
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
