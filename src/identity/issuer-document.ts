/**
 * Fetches an external provider's keys. Stores nothing.
 *
 * @module
 */
import { QfError } from "../base/errors.ts";
import { sha256 } from "../base/random.ts";
import { KeySet, ProviderDocument, SignatureJwk } from "../wire/identity-provider.ts";
import type { PublicJwk } from "../wire/network-map.ts";

/** Most keys taken from one provider. */
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
  const document = ProviderDocument.safeParse(
    await getJson(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, doFetch),
  );
  if (!document.success || document.data.issuer !== issuer) {
    throw new QfError("ERR_UNAVAILABLE", "the identity provider does not describe itself as expected", {
      hint: "--oidc-issuer must be exactly the issuer in its discovery document",
    });
  }
  const set = KeySet.safeParse(await getJson(document.data.jwks_uri, doFetch));
  const keys = (set.success ? set.data.keys : []).flatMap((key) => {
    const usable = SignatureJwk.safeParse(key);
    return usable.success ? [usable.data] : [];
  });
  if (keys.length === 0)
    throw new QfError("ERR_UNAVAILABLE", "the identity provider publishes no usable keys");
  return keys.slice(0, KEYS_MAX).map((jwk) => ({ thumbprint: thumbprintOf(jwk), jwk: { ...jwk } }));
}

/** RFC 7638, with `kid` and `alg` added: the same key under another name is another entry. */
function thumbprintOf(jwk: SignatureJwk): string {
  return sha256(JSON.stringify(Object.entries(jwk).sort(([a], [b]) => (a < b ? -1 : 1))));
}

async function getJson(url: string, doFetch: typeof fetch): Promise<unknown> {
  const response = await doFetch(url, { headers: { accept: "application/json" } });
  if (!response.ok) {
    throw new QfError(
      "ERR_UNAVAILABLE",
      `the identity provider answered with HTTP status ${response.status}`,
    );
  }
  try {
    return await response.json();
  } catch (cause) {
    throw new QfError("ERR_UNAVAILABLE", "the identity provider did not answer with JSON", { cause });
  }
}
