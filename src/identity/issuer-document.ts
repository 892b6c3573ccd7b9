/**
 * Fetches an external provider's keys. Stores nothing.
 *
 * @module
 */
import { QfError } from "../base/errors.ts";
import { sha256 } from "../base/random.ts";
import { JWS_ALGORITHMS } from "../wire/certificate.ts";
import { KeySet, type ProviderDocument, SignatureJwk } from "../wire/identity-provider.ts";
import type { PublicJwk } from "../wire/network-map.ts";
import { fetchProviderDocument, getJson } from "./provider-document.ts";
import { shown } from "./token-fault.ts";

/** Most keys accepted from one provider. */
const KEYS_MAX = 32;

export interface FetchedKey {
  /** SHA-256 of the key's canonical form. */
  readonly thumbprint: string;
  readonly jwk: PublicJwk;
}

/**
 * Keys that `issuer` publishes now. `fetch` bounds time and size. Throws ERR_UNAVAILABLE when it cannot
 *  be reached, says it is somebody else, or publishes no key we can use.
 */
export async function fetchIssuerKeys(issuer: string, doFetch: typeof fetch): Promise<FetchedKey[]> {
  return fetchKeys(await fetchProviderDocument(issuer, doFetch), doFetch);
}

/** The same, for an already fetched document. */
export async function fetchKeys(
  { jwks_uri: url }: Pick<ProviderDocument, "jwks_uri">,
  doFetch: typeof fetch,
): Promise<FetchedKey[]> {
  const set = KeySet.safeParse(await getJson(url, doFetch));
  const published = set.success ? set.data.keys : [];
  const keys = published.flatMap((key) => {
    const usable = SignatureJwk.safeParse(key);
    return usable.success ? [usable.data] : [];
  });
  if (keys.length === 0) {
    const kinds = published.map(({ kty, alg, crv }) => [kty, crv, alg].filter(isText).join(" "));
    throw new QfError("ERR_UNAVAILABLE", "the identity provider publishes no usable keys", {
      hint: `expected keys for ${JWS_ALGORITHMS.join(", ")}, got ${shown(kinds.join(", ")) || "none"}`,
    });
  }
  return keys.slice(0, KEYS_MAX).map((jwk) => ({ thumbprint: thumbprintOf(jwk), jwk: { ...jwk } }));
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

/** RFC 7638 with `kid` and `alg` added, so that the same key under another name is a separate entry. */
function thumbprintOf(jwk: SignatureJwk): string {
  return sha256(JSON.stringify(Object.entries(jwk).sort(([a], [b]) => (a < b ? -1 : 1))));
}
