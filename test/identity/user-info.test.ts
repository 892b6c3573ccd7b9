import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { isQfError } from "../../src/base/errors.ts";
import { authorizationUrl, newState, newVerifier, redeemCode } from "../../src/identity/code-flow.ts";
import { fetchProviderDocument } from "../../src/identity/provider-document.ts";
import { createStrictFetch } from "../../src/identity/strict-fetch.ts";
import {
  fetchUserInfo,
  lacksClaims,
  lacksGroups,
  namesAccessToken,
  withUserInfo,
} from "../../src/identity/user-info.ts";
import { startProvider, type TestProvider } from "../support/provider.ts";
import { comeBack } from "../support/provider-browser.ts";
import { type ProviderSetup, PUBLIC_CLIENT } from "../support/provider-setup.ts";
import { aToken, providerKeys } from "../support/tokens.ts";

const strict = createStrictFetch(fetch);
let provider: TestProvider;
beforeAll(async () => {
  provider = await startProvider();
});
beforeEach(() => provider.reset());
afterAll(() => provider.stop());

/** Signs in and asks UserInfo about `subject`. */
async function ask(subject = "person-1", accessToken?: string): Promise<Record<string, unknown> | string> {
  const document = await fetchProviderDocument(provider.issuer, strict);
  const attempt = { state: newState(), verifier: newVerifier(), redirectUri: "http://127.0.0.1/callback" };
  const credentials = { clientId: PUBLIC_CLIENT.id, clientSecret: null, clientAuth: null };
  const order = { ...attempt, clientId: PUBLIC_CLIENT.id, scope: "openid", nonce: "n" };
  const url = await authorizationUrl(document, { ...order, fresh: false, promptLogin: false });
  const callback = await comeBack(url);
  const redeemed = await redeemCode(document, { ...attempt, credentials, callback, fetch: strict });
  const question = {
    endpoint: document.userinfo_endpoint ?? "",
    accessToken: accessToken ?? redeemed.accessToken ?? "",
    subject,
    fetch: strict,
  };
  return fetchUserInfo(question).catch((error: unknown) =>
    isQfError(error) ? `${error.code}: ${error.message}` : String(error),
  );
}

test("UserInfo says what the ID token does not, of the same person", async () => {
  await provider.change({ userInfo: { name: "Grace", groups: ["devs"] } });
  expect(await ask()).toEqual({ sub: "person-1", name: "Grace", groups: ["devs"] });
});

test.each<[what: string, change: Partial<ProviderSetup>, token: string | undefined, want: string]>([
  ["of somebody else", { userInfo: { sub: "person-2" } }, undefined, "ERR_LOGIN_FAILED: .*somebody else"],
  ["of nobody", { answers: { userinfo: { status: 200, body: { name: "x" } } } }, undefined, "somebody else"],
  ["for a token of nobody", {}, "made-up", "ERR_LOGIN_FAILED: .*invalid_token"],
  [
    "as a signed token",
    { answers: { userinfo: { status: 200, body: "e30.e30.e30" } } },
    undefined,
    "not JSON",
  ],
  ["as a list", { answers: { userinfo: { status: 200, body: [] } } }, undefined, "not JSON"],
  ["with an error", { answers: { userinfo: { status: 500, body: "" } } }, undefined, "HTTP status 500"],
])("UserInfo %s is not taken", async (_what, change, token, want) => {
  await provider.change(change);
  expect(await ask("person-1", token)).toMatch(new RegExp(want));
});

test.each<[payload: Record<string, unknown>, groupsClaim: string | null, want: [boolean, boolean]]>([
  [{ name: "Ada", email: "a@example.com" }, null, [false, false]],
  [{ name: "Ada" }, null, [true, false]],
  [{ name: "", email: "a@example.com" }, null, [true, false]],
  [{ name: "Ada", email: "a@example.com" }, "groups", [true, true]],
  [{ name: "Ada", email: "a@example.com", groups: [] }, "groups", [false, false]],
  [{ name: "Ada", email: "a@example.com", hasgroups: true }, "groups", [true, true]],
  [{ name: "Ada", email: "a@example.com", realm_access: {} }, "realm_access.roles", [true, true]],
])("a token with %p, groups by %p, lacks claims and groups: %p", (payload, groupsClaim, want) => {
  expect([lacksClaims(payload, groupsClaim), lacksGroups(payload, groupsClaim)]).toEqual(want);
});

test("UserInfo adds and replaces nothing, and an e-mail brings its own verification", () => {
  const token = { sub: "1", name: "Ada", email: "a@example.com" };
  const info = { sub: "1", name: "Eve", email: "e@example.com", email_verified: true, locale: "en" };
  expect(withUserInfo(token, info)).toEqual({ ...token, locale: "en", email_verified: undefined });
  const bare = { sub: "1", email_verified: true };
  expect(withUserInfo(bare, { email: "e@example.com" })).toEqual({ sub: "1", email: "e@example.com" });
});

test("a token names its access token by half of a digest, and no other", () => {
  const half = (algorithm: string) => {
    const digest = createHash(algorithm).update("access").digest();
    return digest.subarray(0, digest.length / 2).toString("base64url");
  };
  const rsa = aToken({ key: providerKeys.RS256, claims: { at_hash: half("sha256") } });
  const ed = aToken({ key: providerKeys.EdDSA, claims: { at_hash: half("sha512") } });
  expect(namesAccessToken(rsa, "access")).toBe(true);
  expect(namesAccessToken(ed, "access")).toBe(true);
  expect(namesAccessToken(rsa, "another")).toBe(false);
  expect(namesAccessToken(aToken({ claims: { at_hash: half("sha256") } }), "access")).toBe(false);
  expect(namesAccessToken(aToken(), "access")).toBe(false);
  expect(namesAccessToken("no token", "access")).toBe(false);
});
