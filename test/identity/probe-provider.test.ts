import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import type { ClientCredentials } from "../../src/identity/client-auth.ts";
import { probeClient, probeRedirect } from "../../src/identity/probe-provider.ts";
import { fetchProviderDocument } from "../../src/identity/provider-document.ts";
import { createStrictFetch } from "../../src/identity/strict-fetch.ts";
import { startProvider, type TestProvider } from "../support/provider.ts";
import { type ProviderSetup, PUBLIC_CLIENT, SECRET_CLIENT } from "../support/provider-setup.ts";

const strict = createStrictFetch(fetch);
let provider: TestProvider;
beforeAll(async () => {
  provider = await startProvider();
});
beforeEach(() => provider.reset());
afterAll(() => provider.stop());

const PUBLIC: ClientCredentials = { clientId: PUBLIC_CLIENT.id, clientSecret: null, clientAuth: null };
const SECRET: ClientCredentials = {
  clientId: SECRET_CLIENT.id,
  clientSecret: SECRET_CLIENT.secret ?? "",
  clientAuth: null,
};

async function client(credentials: ClientCredentials) {
  const document = await fetchProviderDocument(provider.issuer, strict);
  return probeClient(document, { credentials, redirectUri: "http://127.0.0.1/callback", fetch: strict });
}

const answer = (error: string, error_description?: string, status = 400): Partial<ProviderSetup> => ({
  answers: {
    token: { status, body: { error, ...(error_description === undefined ? {} : { error_description }) } },
  },
});

test.each<[what: string, credentials: ClientCredentials, change: Partial<ProviderSetup>, kind: string]>([
  ["a public client", PUBLIC, {}, "known"],
  ["a client and its secret", SECRET, {}, "known"],
  ["another secret", { ...SECRET, clientSecret: "other" }, {}, "refused"],
  ["a client that is not there", { ...PUBLIC, clientId: "nobody" }, {}, "refused"],
  ["a client that wants a secret", { ...PUBLIC, clientId: SECRET_CLIENT.id }, {}, "refused"],
  ["a client that may not", PUBLIC, answer("unauthorized_client", "AADSTS700016"), "refused"],
  [
    "a secret that is missing, in Google's words",
    PUBLIC,
    answer("invalid_request", "client_secret is missing."),
    "refused",
  ],
  [
    "a code that is bad, in Dex's words",
    PUBLIC,
    answer("invalid_request", "Invalid or expired code parameter."),
    "known",
  ],
  ["an endpoint that is broken", PUBLIC, { answers: { token: { status: 502, body: "<html>" } } }, "unclear"],
  ["an endpoint that fails", PUBLIC, answer("server_error", undefined, 500), "unclear"],
  ["401 without a word", PUBLIC, { answers: { token: { status: 401, body: "" } } }, "refused"],
])("the token endpoint on %s", async (_what, credentials, change, kind) => {
  await provider.change(change);
  expect((await client(credentials)).kind).toBe(kind as never);
});

test("a secret is tried in each way that is listed, and what works is told", async () => {
  await provider.change({ clients: [{ ...SECRET_CLIENT, auth: ["client_secret_post"] }] });
  expect(await client(SECRET)).toMatchObject({ kind: "known", method: "client_secret_post" });
  const document = { token_endpoint_auth_methods_supported: ["private_key_jwt"] };
  await provider.change({ document, clients: [SECRET_CLIENT] });
  expect(await client(SECRET)).toMatchObject({ kind: "refused", said: "it lists private_key_jwt" });
});

async function redirect(redirectUri: string) {
  const document = await fetchProviderDocument(provider.issuer, strict);
  return probeRedirect(document, { clientId: PUBLIC_CLIENT.id, redirectUri, scope: "openid" });
}

test("a redirect URI that is registered is told from one that is not, and nobody is signed in", async () => {
  expect(await redirect("http://127.0.0.1:4711/callback")).toEqual({ kind: "known", said: "login_required" });
  expect((await redirect("http://127.0.0.1:4711/elsewhere")).kind).toBe("refused");
  const { authorizations, tokens } = await provider.seen();
  expect(authorizations.map(({ prompt }) => prompt)).toEqual(["none", "none"]);
  expect(tokens).toEqual([]);
});

test.each<[location: string | null, status: number, want: string]>([
  ["http://127.0.0.1/callback?error=consent_required", 302, "known"],
  ["http://127.0.0.1/callback?error=invalid_scope&error_description=groups", 302, "refused"],
  ["http://127.0.0.1/callback/evil?error=login_required", 302, "unclear"],
  ["https://idp.example.com/login", 302, "unclear"],
  [null, 200, "unclear"],
  [null, 400, "refused"],
])("a way to %s with status %d is %s", async (location, status, want) => {
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => new Response("", { status, headers: location === null ? {} : { location } }),
  });
  const document = await fetchProviderDocument(provider.issuer, strict);
  const own = { ...document, authorization_endpoint: `http://127.0.0.1:${server.port}/auth` };
  const asked = { clientId: "qufabric", redirectUri: "http://127.0.0.1/callback", scope: "openid groups" };
  expect((await probeRedirect(own, asked)).kind).toBe(want as never);
});
