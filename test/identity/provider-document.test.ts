import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { isQfError, type QfError } from "../../src/base/errors.ts";
import { documentUrl, fetchProviderDocument } from "../../src/identity/provider-document.ts";
import { createStrictFetch } from "../../src/identity/strict-fetch.ts";
import { freePort, startProvider, type TestProvider } from "../support/provider.ts";
import type { ProviderSetup } from "../support/provider-setup.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { writeTlsFiles } from "../support/tls.ts";

const strict = createStrictFetch(fetch);
let provider: TestProvider;
beforeAll(async () => {
  provider = await startProvider({ setup: { issuerPath: "/realms/corp" } });
});
beforeEach(() => provider.reset());
afterAll(() => provider.stop());

async function failureOf(issuer: string): Promise<QfError> {
  const error: unknown = await fetchProviderDocument(issuer, strict).catch((reason: unknown) => reason);
  if (isQfError(error, "ERR_UNAVAILABLE")) return error;
  throw new Error(`not ERR_UNAVAILABLE but ${JSON.stringify(error)}`);
}

test.each([
  ["https://idp.example.com", "https://idp.example.com/.well-known/openid-configuration"],
  ["https://idp.example.com/", "https://idp.example.com/.well-known/openid-configuration"],
  ["https://idp.example.com/realms/a", "https://idp.example.com/realms/a/.well-known/openid-configuration"],
])("the document of %s is at %s", (issuer, want) => {
  expect(documentUrl(issuer)).toBe(want);
});

test("a document without any extras is enough", async () => {
  await provider.change({
    userInfo: null,
    document: {
      token_endpoint_auth_methods_supported: null,
      id_token_signing_alg_values_supported: null,
      response_types_supported: null,
      subject_types_supported: null,
    },
  });
  const document = await fetchProviderDocument(provider.issuer, strict);
  expect(document.userinfo_endpoint).toBeUndefined();
  expect(document.token_endpoint).toBe(`${provider.issuer}/token`);
});

test("a list in it that makes no sense counts as none", async () => {
  await provider.change({ document: { token_endpoint_auth_methods_supported: "post", claims_supported: 7 } });
  const document = await fetchProviderDocument(provider.issuer, strict);
  expect(document.token_endpoint_auth_methods_supported).toBeUndefined();
});

const issuerOf = (): string => provider.issuer;
test.each<[what: string, change: Partial<ProviderSetup>, issuer: () => string, said: string[]]>([
  ["a slash more", {}, () => `${issuerOf()}/`, ["calls itself", "/realms/corp, not", "/realms/corp/"]],
  [
    "a template for a name (Entra ID's common)",
    { document: { issuer: "https://login.example.com/{tenantid}/v2.0" } },
    issuerOf,
    ["{tenantid}"],
  ],
  [
    "http for https",
    { document: { issuer: "http://idp.example.com" } },
    issuerOf,
    ["http://idp.example.com"],
  ],
  ["no name", { document: { issuer: null } }, issuerOf, ["calls itself nothing"]],
  ["another path, where nothing is", {}, () => `${issuerOf()}-2`, ["HTTP status 404"]],
  [
    "no JSON",
    { answers: { discovery: { status: 200, body: "<html>" } } },
    issuerOf,
    ["not answer with JSON"],
  ],
  ["an endpoint missing", { document: { jwks_uri: null } }, issuerOf, ["cannot be used"]],
  [
    "an endpoint in clear text",
    { document: { token_endpoint: "http://idp.example.com/token" } },
    issuerOf,
    ["token_endpoint is not https"],
  ],
  [
    "UserInfo in clear text",
    { document: { userinfo_endpoint: "http://idp.example.com/me" } },
    issuerOf,
    ["userinfo_endpoint is not https"],
  ],
])("a provider with %s is told so", async (_what, change, issuer, said) => {
  await provider.change(change);
  const { message } = await failureOf(issuer());
  for (const words of said) expect(message).toContain(words);
});

test("a provider that is not there is named with the reason", async () => {
  const port = freePort();
  const { message } = await failureOf(`http://127.0.0.1:${port}`);
  expect(message).toBe(`cannot reach the identity provider at http://127.0.0.1:${port}: connection refused`);
});

test("a provider whose certificate nobody here trusts is named with the way out", async () => {
  const { tlsCert, tlsKey } = writeTlsFiles(tempFolder());
  const tls = { cert: readFileSync(tlsCert, "utf8"), key: readFileSync(tlsKey, "utf8") };
  await using other = await startProvider({ tls });
  const { message, hint } = await failureOf(other.issuer);
  expect(message).toContain("its TLS certificate is not trusted");
  expect(hint).toContain("SSL_CERT_FILE");
});
