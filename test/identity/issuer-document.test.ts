import { describe, expect, test } from "bun:test";
import { isQfError } from "../../src/base/errors.ts";
import { fetchIssuerKeys } from "../../src/identity/issuer-document.ts";
import { ISSUER, providerKeys } from "../support/tokens.ts";

const DOCUMENT = {
  issuer: ISSUER,
  jwks_uri: `${ISSUER}/keys`,
  authorization_endpoint: `${ISSUER}/authorize`,
  token_endpoint: `${ISSUER}/token`,
};
const keys = Object.values(providerKeys).map(({ jwk }) => jwk);

interface Answers {
  readonly document?: unknown;
  readonly keySet?: unknown;
  readonly status?: number;
}

/** What comes of a provider that answers so: how many keys, or the code. */
async function outcome({ document = DOCUMENT, keySet = { keys }, status = 200 }: Answers) {
  const asked: string[] = [];
  const doFetch = async (input: RequestInfo | URL): Promise<Response> => {
    asked.push(String(input));
    const body = String(input).endsWith("/keys") ? keySet : document;
    return new Response(typeof body === "string" ? body : JSON.stringify(body), { status });
  };
  const found = await fetchIssuerKeys(ISSUER, Object.assign(doFetch, { preconnect: () => {} })).catch(
    (error: unknown) => error,
  );
  return {
    asked,
    found: Array.isArray(found) ? found.length : isQfError(found) ? found.code : String(found),
  };
}

describe("fetchIssuerKeys", () => {
  test("finds the keys by the issuer's own document", async () => {
    const { asked, found } = await outcome({});
    expect(found).toBe(4);
    expect(asked).toEqual([`${ISSUER}/.well-known/openid-configuration`, `${ISSUER}/keys`]);
  });

  test.each<[string, Answers]>([
    ["a document of another issuer", { document: { ...DOCUMENT, issuer: "https://evil.example.com" } }],
    ["the issuer with a slash", { document: { ...DOCUMENT, issuer: `${ISSUER}/` } }],
    ["no document", { document: {} }],
    ["a page", { document: "<html>" }],
    ["an error", { status: 500 }],
    ["an answer that has moved", { status: 302 }],
    ["no keys", { keySet: { keys: [] } }],
    ["a key set that is none", { keySet: { key: keys } }],
    ["only keys that cannot sign", { keySet: { keys: [{ kty: "oct", k: "AAAA" }] } }],
  ])("takes nothing of %s", async (_name, answers) => {
    expect((await outcome(answers)).found).toBe("ERR_UNAVAILABLE");
  });

  test("takes no more keys than a map can carry", async () => {
    const many = Array.from({ length: 100 }, (_, i) => ({ ...providerKeys.EdDSA.jwk, kid: `k${i}` }));
    expect((await outcome({ keySet: { keys: many } })).found).toBe(32);
  });

  test("leaves out keys that are none of ours beside those that are", async () => {
    const mixed = [{ kty: "oct" }, { ...providerKeys.ES256.jwk, use: "enc" }, providerKeys.RS256.jwk];
    expect((await outcome({ keySet: { keys: mixed } })).found).toBe(1);
  });

  test("knows the same key under another name as another entry", async () => {
    const { jwk } = providerKeys.EdDSA;
    const doFetch = async (input: RequestInfo | URL): Promise<Response> =>
      Response.json(String(input).endsWith("/keys") ? { keys: [jwk, { ...jwk, kid: "b" }, jwk] } : DOCUMENT);
    const found = await fetchIssuerKeys(ISSUER, Object.assign(doFetch, { preconnect: () => {} }));
    expect(new Set(found.map(({ thumbprint }) => thumbprint)).size).toBe(2);
  });
});
