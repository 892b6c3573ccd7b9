/** Codes and tokens of a real provider over HTTP: what it takes, and what is said when it does not. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { isQfError, type QfError } from "../../src/base/errors.ts";
import type { ClientCredentials } from "../../src/identity/client-auth.ts";
import {
  type AuthorizationOrder,
  authorizationUrl,
  newState,
  newVerifier,
  type Redeemed,
  redeemCode,
} from "../../src/identity/code-flow.ts";
import { fetchProviderDocument } from "../../src/identity/provider-document.ts";
import { failureDetails, isRefusal } from "../../src/identity/provider-failure.ts";
import { createStrictFetch } from "../../src/identity/strict-fetch.ts";
import { startProvider, type TestProvider } from "../support/provider.ts";
import { comeBack } from "../support/provider-browser.ts";
import { type ProviderSetup, PUBLIC_CLIENT, SECRET_CLIENT } from "../support/provider-setup.ts";

let provider: TestProvider;
beforeAll(async () => {
  provider = await startProvider();
});
beforeEach(() => provider.reset());
afterAll(() => provider.stop());

const CALLBACK = "http://127.0.0.1:1234/callback";
const PUBLIC: ClientCredentials = { clientId: PUBLIC_CLIENT.id, clientSecret: null, clientAuth: null };
const SECRET: ClientCredentials = {
  clientId: SECRET_CLIENT.id,
  clientSecret: SECRET_CLIENT.secret ?? "",
  clientAuth: null,
};

interface Walk {
  readonly credentials?: ClientCredentials;
  readonly order?: Partial<AuthorizationOrder>;
  /** What happens to the URL that the browser comes back with. */
  readonly bend?: (callback: URL) => void;
  readonly timeoutMs?: number;
}

async function walk({ credentials = PUBLIC, order, bend, timeoutMs }: Walk = {}): Promise<Redeemed> {
  const doFetch = createStrictFetch(fetch, timeoutMs);
  const document = await fetchProviderDocument(provider.issuer, doFetch);
  const attempt = { state: newState(), verifier: newVerifier(), redirectUri: CALLBACK };
  const url = await authorizationUrl(document, {
    ...attempt,
    clientId: credentials.clientId,
    scope: "openid profile email",
    nonce: "the digest of a login key",
    fresh: false,
    promptLogin: false,
    ...order,
  });
  const callback = await comeBack(url);
  bend?.(callback);
  return redeemCode(document, { ...attempt, credentials, callback, fetch: doFetch });
}

async function failureOf(work: Promise<unknown>): Promise<QfError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (isQfError(error)) return error;
  throw new Error(`no QfError but ${String(error)}`);
}

test("a code is worth an ID token with the nonce that was asked for, and an access token", async () => {
  const { idToken, accessToken, clientAuth } = await walk();
  const payload = JSON.parse(Buffer.from(idToken.split(".")[1] ?? "", "base64url").toString());
  expect(payload).toMatchObject({ iss: provider.issuer, nonce: "the digest of a login key" });
  expect(accessToken).not.toBeNull();
  expect(clientAuth).toBeNull();
  const { authorizations, tokens } = await provider.seen();
  expect(authorizations[0]).toMatchObject({ response_type: "code", code_challenge_method: "S256" });
  expect(tokens).toMatchObject([{ method: "none", clientId: PUBLIC_CLIENT.id, status: 200 }]);
});

test.each<[what: string, order: Partial<AuthorizationOrder>, want: Record<string, string | undefined>]>([
  ["neither", {}, { prompt: undefined, max_age: undefined }],
  ["a fresh sign-in alone", { fresh: true }, { prompt: undefined, max_age: "0" }],
  ["the prompt alone", { promptLogin: true }, { prompt: "login", max_age: undefined }],
  ["both", { fresh: true, promptLogin: true }, { prompt: "login", max_age: "0" }],
])("an authorization request asks for %s", async (_what, order, want) => {
  await walk({ order });
  const [asked] = (await provider.seen()).authorizations;
  expect({ prompt: asked?.prompt, max_age: asked?.max_age }).toEqual(want as never);
});

/** What the provider lists, what it takes, what `--oidc-client-auth` says, and what is tried in turn. */
test.each<
  [string, string[] | null, ("client_secret_basic" | "client_secret_post")[], string | null, string[]]
>([
  ["Basic is listed", ["client_secret_basic"], ["client_secret_basic"], null, ["client_secret_basic"]],
  ["post alone is listed", ["client_secret_post"], ["client_secret_post"], null, ["client_secret_post"]],
  ["nothing is listed", null, ["client_secret_basic"], null, ["client_secret_basic"]],
  [
    "both are listed and this client takes post",
    ["client_secret_basic", "client_secret_post"],
    ["client_secret_post"],
    null,
    ["client_secret_basic", "client_secret_post"],
  ],
  [
    "nothing is listed and post is wanted",
    null,
    ["client_secret_post"],
    null,
    ["client_secret_basic", "client_secret_post"],
  ],
  [
    "the flag says post whatever is listed",
    ["client_secret_basic"],
    ["client_secret_post"],
    "client_secret_post",
    ["client_secret_post"],
  ],
  [
    "others are listed beside it",
    ["private_key_jwt", "client_secret_post", "none"],
    ["client_secret_post"],
    null,
    ["client_secret_post"],
  ],
])("a secret is given as the provider wants it where %s", async (_what, listed, taken, flag, tried) => {
  await provider.change({
    document: { token_endpoint_auth_methods_supported: listed },
    clients: [{ ...SECRET_CLIENT, auth: taken }],
  });
  const clientAuth = flag as ClientCredentials["clientAuth"];
  const redeemed = await walk({ credentials: { ...SECRET, clientAuth } });
  expect(redeemed.clientAuth).toBe(tried.at(-1) as never);
  expect((await provider.seen()).tokens.map(({ method }) => method)).toEqual(tried as never);
});

test("a wrong secret is tried once in each way, and the provider's words are kept", async () => {
  const error = await failureOf(walk({ credentials: { ...SECRET, clientSecret: "another" } }));
  expect(error.code).toBe("ERR_LOGIN_FAILED");
  expect(error.message).toContain("invalid_client");
  expect(failureDetails(error)).toMatchObject({
    endpoint: "token",
    providerError: "invalid_client",
    providerDescription: "Client authentication failed (unknown client or unsupported method)",
  });
  expect((await provider.seen()).tokens).toHaveLength(2);
});

test("a provider that takes no secret of ours is told so, and is not asked", async () => {
  await provider.change({ document: { token_endpoint_auth_methods_supported: ["private_key_jwt"] } });
  const error = await failureOf(walk({ credentials: SECRET }));
  expect(error.hint).toContain("private_key_jwt");
  expect((await provider.seen()).tokens).toEqual([]);
});

test.each<[error: string, code: string, refused: boolean]>([
  ["access_denied", "ERR_LOGIN_FAILED", true],
  ["interaction_required", "ERR_LOGIN_FAILED", false],
  ["login_required", "ERR_LOGIN_FAILED", false],
  ["consent_required", "ERR_LOGIN_FAILED", false],
  ["unauthorized_client", "ERR_LOGIN_FAILED", false],
  ["invalid_scope", "ERR_LOGIN_FAILED", false],
  ["server_error", "ERR_UNAVAILABLE", false],
  ["temporarily_unavailable", "ERR_UNAVAILABLE", false],
  ["one_of_its_own", "ERR_LOGIN_FAILED", false],
])("a redirect with %s is %s with the provider's own words", async (error, code, refused) => {
  const authorizationError = { error, error_description: "AADSTS50076: use multi-factor\u0007 sign-in" };
  await provider.change({ authorizationError });
  const failure = await failureOf(walk());
  expect(failure.code).toBe(code as never);
  expect(isRefusal(failure)).toBe(refused);
  expect(failureDetails(failure)).toEqual({
    endpoint: "authorization",
    providerError: error,
    providerDescription: "AADSTS50076: use multi-factor  sign-in",
  });
  expect(failure.hint).toContain("AADSTS50076");
});

test.each<[what: string, change: Partial<ProviderSetup>, code: string, said: string]>([
  [
    "an error of its own",
    { answers: { token: { status: 400, body: { error: "invalid_grant", error_description: "expired" } } } },
    "ERR_LOGIN_FAILED",
    "invalid_grant",
  ],
  [
    "401 without a word",
    { answers: { token: { status: 401, body: "no" } } },
    "ERR_LOGIN_FAILED",
    "invalid_client",
  ],
  ["a page of a gateway", { answers: { token: { status: 502, body: "<html>" } } }, "ERR_UNAVAILABLE", "502"],
  ["no JSON", { answers: { token: { status: 200, body: "ok" } } }, "ERR_LOGIN_FAILED", "no ID token"],
  [
    "no ID token",
    { answers: { token: { status: 200, body: { access_token: "x", token_type: "Bearer" } } } },
    "ERR_LOGIN_FAILED",
    "no ID token",
  ],
  [
    "a token that is too large",
    { claims: { sub: "p", groups: Array.from({ length: 2_000 }, (_, i) => `a group of many ${i}`) } },
    "ERR_LOGIN_FAILED",
    "20480 fit",
  ],
])("a token endpoint that answers with %s is said so", async (_what, change, code, said) => {
  await provider.change(change);
  const failure = await failureOf(walk());
  expect(failure.code).toBe(code as never);
  expect(failure.message).toContain(said);
});

test("a token endpoint that takes its time is not waited for without end", async () => {
  await provider.change({ delayMs: { token: 5_000 } });
  const failure = await failureOf(walk({ timeoutMs: 300 }));
  expect(failure.code).toBe("ERR_UNAVAILABLE");
  expect(failure.message).toContain("no answer in time");
  expect(isRefusal(failure)).toBe(false);
});

test.each<[what: string, bend: (callback: URL) => void]>([
  ["another state", (url) => url.searchParams.set("state", "guessed")],
  ["no state", (url) => url.searchParams.delete("state")],
  ["another issuer (RFC 9207)", (url) => url.searchParams.set("iss", "https://evil.example.com")],
  ["no code", (url) => url.searchParams.delete("code")],
])("a way back with %s is worth nothing", async (_what, bend) => {
  expect((await failureOf(walk({ bend }))).code).toBe("ERR_LOGIN_FAILED");
  expect((await provider.seen()).tokens).toEqual([]);
});
