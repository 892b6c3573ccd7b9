/**
 * Kinds of secrets, identified by prefix, so that messages can name a secret used in the wrong place and
 * scanners can find leaked ones.
 *
 * @module
 */

/** Begins every token for the REST API. */
export const API_TOKEN_PREFIX = "qfp_";
/** Begins every token that signs a service user in. */
export const SSH_TOKEN_PREFIX = "qft_";
/** Begins every key that enrols machines. */
export const SETUP_KEY_PREFIX = "qfs_";

/** A token for the REST API, one that signs a service user in, or a key that enrols machines. */
export type SecretKind = "api_token" | "ssh_token" | "setup_key";

const KINDS: readonly (readonly [prefix: string, kind: SecretKind])[] = [
  [API_TOKEN_PREFIX, "api_token"],
  [SSH_TOKEN_PREFIX, "ssh_token"],
  [SETUP_KEY_PREFIX, "setup_key"],
];

const SENTENCES: Readonly<Record<SecretKind, string>> = {
  api_token: "a token of scope api, which opens the REST API",
  ssh_token: "a token of scope ssh, which signs a service user in",
  setup_key: "a setup key, which enrols machines",
};

/** Null: it has none of our prefixes. */
export function kindOfSecret(secret: string): SecretKind | null {
  return KINDS.find(([prefix]) => secret.startsWith(prefix))?.[1] ?? null;
}

/** What a secret of that kind is, and what for. */
export function nameOfSecret(kind: SecretKind): string {
  return SENTENCES[kind];
}
