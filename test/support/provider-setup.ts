/** How the provider of `provider.ts` is to behave: each way in which public providers differ, one field. */

export type SigningAlgorithm = "RS256" | "PS256" | "ES256" | "EdDSA" | "RS512" | "ES384" | "HS256";
export type ClientAuthMethod = "client_secret_basic" | "client_secret_post" | "private_key_jwt" | "none";

export interface ProviderClient {
  readonly id: string;
  readonly secret?: string;
  /** Public key that checks its assertions (private_key_jwt). */
  readonly jwk?: Readonly<Record<string, unknown>>;
  /** Ways in which it may say who it is; all others are `invalid_client`. */
  readonly auth: readonly ClientAuthMethod[];
}

export interface ProviderSetup {
  /** Path of the issuer; "" is none, a final slash counts. */
  readonly issuerPath: string;
  /** Members of the discovery document over the true ones; null leaves one out. */
  readonly document: Readonly<Record<string, unknown>>;
  readonly algorithm: SigningAlgorithm;
  /** Whether header and published keys have a `kid`. */
  readonly keyIds: boolean;
  readonly clients: readonly ProviderClient[];
  /** Exact ones. With `anyLoopbackPort` those on 127.0.0.1 and localhost match on any port (RFC 8252). */
  readonly redirectUris: readonly string[];
  readonly anyLoopbackPort: boolean;
  /** Whether the ID token has the `nonce` that was asked for. */
  readonly nonce: boolean;
  /** Claims of the ID token over the usual ones; null leaves one out, "now+40" is a time. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Whether the ID token names its access token (`at_hash`). */
  readonly atHash: boolean;
  /** What UserInfo answers beside `sub`. Null: there is no such endpoint. */
  readonly userInfo: Readonly<Record<string, unknown>> | null;
  /** Parameters that the authorization endpoint does not take, as `name=value`. */
  readonly refusedParameters: readonly string[];
  /** Whether the way back names the issuer (RFC 9207). */
  readonly issParameter: boolean;
  /** What it sends back in place of a code. */
  readonly authorizationError: { readonly error: string; readonly error_description?: string } | null;
  /** What endpoints answer in place of the truth. */
  readonly answers: Partial<Record<ProviderEndpoint, { readonly status: number; readonly body: unknown }>>;
  readonly delayMs: Partial<Record<ProviderEndpoint, number>>;
}

export const ENDPOINTS = ["discovery", "jwks", "token", "userinfo"] as const;
export type ProviderEndpoint = (typeof ENDPOINTS)[number];

export const PUBLIC_CLIENT: ProviderClient = { id: "qufabric", auth: ["none"] };
export const SECRET_CLIENT: ProviderClient = {
  id: "qufabric-secret",
  secret: "a secret/with: signs+of=its own",
  auth: ["client_secret_basic", "client_secret_post"],
};

/** A provider without a fault. */
export const PLAIN_SETUP: ProviderSetup = {
  issuerPath: "",
  document: {},
  algorithm: "RS256",
  keyIds: true,
  clients: [PUBLIC_CLIENT, SECRET_CLIENT],
  redirectUris: ["http://127.0.0.1/callback", "http://127.0.0.1/login/callback"],
  anyLoopbackPort: true,
  nonce: true,
  claims: { sub: "person-1", name: "Grace Hopper", email: "grace@corp.example", email_verified: true },
  atHash: true,
  userInfo: {},
  refusedParameters: [],
  issParameter: false,
  authorizationError: null,
  answers: {},
  delayMs: {},
};

/** What was asked of it, in order. */
export interface ProviderSeen {
  readonly authorizations: readonly Readonly<Record<string, string>>[];
  readonly tokens: readonly {
    readonly method: ClientAuthMethod;
    readonly clientId: string;
    readonly form: Readonly<Record<string, string>>;
    readonly status: number;
  }[];
  readonly discoveries: number;
  readonly jwks: number;
  readonly userInfos: number;
}
