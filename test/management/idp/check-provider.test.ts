/** What `qf doctor` says on the management host: each fault that people would meet, with its way out. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../../src/base/log.ts";
import { checkProvider } from "../../../src/management/idp/check-provider.ts";
import { writeProviderFile } from "../../../src/management/idp/provider-file.ts";
import { type ExternalOidcOptions, externalOidc } from "../../../src/management/idp/settings.ts";
import { freePort, startProvider, type TestProvider } from "../../support/provider.ts";
import { type ProviderSetup, PUBLIC_CLIENT, SECRET_CLIENT } from "../../support/provider-setup.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { writeTlsFiles } from "../../support/tls.ts";

const ORIGIN = "http://127.0.0.1:8080";
const folder = mkdtempSync(join(tmpdir(), "qf-test-"));
const secretFile = join(folder, "secret");

let provider: TestProvider;
beforeAll(async () => {
  writeFileSync(secretFile, `${SECRET_CLIENT.secret}\n`, { mode: 0o600 });
  provider = await startProvider();
});
beforeEach(async () => {
  await provider.reset();
  await provider.change({ redirectUris: [`${ORIGIN}/login/callback`, "http://127.0.0.1/callback"] });
});
afterAll(async () => {
  await provider.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Findings as `status code: message; fix`. */
async function check(options: Partial<ExternalOidcOptions> = {}): Promise<string[]> {
  const dataDir = tempFolder();
  const external = { issuer: provider.issuer, clientId: PUBLIC_CLIENT.id, ...options };
  const oidc = await externalOidc(external, silentLog);
  await writeProviderFile(dataDir, { origin: ORIGIN, oidc, external });
  return (await checkProvider(dataDir)).map(
    ({ area, status, code, message, fix }) =>
      `${area} ${status} ${code}: ${message}${fix === null ? "" : `; ${fix}`}`,
  );
}

const REDIRECT_OK = "provider ok provider.redirect:";

test("a provider without a fault is told in five lines", async () => {
  expect(await check()).toEqual([
    `provider ok provider.discovery: people sign in at ${provider.issuer}`,
    "provider ok provider.keys: it publishes one key for tokens",
    "provider ok provider.client: its token endpoint knows the client qufabric, without a secret",
    `${REDIRECT_OK} ${ORIGIN}/login/callback is registered, for management's own sign-in pages`,
    `${REDIRECT_OK} http://127.0.0.1/callback is registered, for people's own browsers, on any port`,
  ]);
  const { tokens, authorizations } = await provider.seen();
  expect(tokens.map(({ status }) => status)).toEqual([400]);
  expect(authorizations.every(({ prompt }) => prompt === "none")).toBe(true);
});

interface Row {
  readonly what: string;
  readonly change?: Partial<ProviderSetup>;
  readonly options?: Partial<ExternalOidcOptions>;
  readonly want: RegExp;
}

const SECRET = { clientId: SECRET_CLIENT.id, clientSecretFile: secretFile };
test.each<Row>([
  {
    what: "a client with a secret",
    options: SECRET,
    want: /ok provider.client: its token endpoint knows the client qufabric-secret, by client_secret_basic/,
  },
  {
    what: "a secret that is another",
    change: { clients: [{ ...SECRET_CLIENT, secret: "another" }] },
    options: SECRET,
    want: /problem provider.client: .*invalid_client.*; check --oidc-client-id, the secret in --oidc-c/,
  },
  {
    what: "a client that is not registered",
    options: { clientId: "nobody" },
    want: /problem provider.client: its token .* take the client nobody.*; register it as a public client/,
  },
  {
    what: "a redirect URI that is not registered",
    change: { redirectUris: ["http://127.0.0.1/callback"] },
    want: /problem provider.redirect: .*back to http:\/\/127.0.0.1:8080\/login\/callback .*; register http/,
  },
  {
    what: "a provider that compares ports",
    change: { anyLoopbackPort: false },
    want: /problem provider.redirect: .*; register http:\/\/127.0.0.1\/callback .*--oidc-redirect-port/,
  },
  {
    what: "the other loopback host",
    options: { loopbackHost: "localhost" },
    want: /problem provider.redirect: .*http:\/\/localhost\/callback/,
  },
  {
    what: "an algorithm of which none is taken",
    change: { document: { id_token_signing_alg_values_supported: ["RS512", "HS256"] } },
    want: /problem provider.keys: the provider signs with RS512, HS256, which is not taken; have it sign/,
  },
  {
    what: "keys that cannot be used",
    change: { answers: { jwks: { status: 200, body: { keys: [{ kty: "oct", k: "AA" }] } } } },
    want: /problem provider.keys: the identity provider publishes no usable keys; expected keys for/,
  },
  {
    what: "another issuer by a slash",
    options: { issuer: "SLASH" },
    want: /problem provider.discovery: the identity provider calls itself .*; --oidc-issuer of manag/,
  },
  {
    what: "a scope that is not listed",
    change: { document: { scopes_supported: ["openid", "email"] } },
    options: { scope: "openid email groups" },
    want: /note provider.claims: the provider does not list the scope groups; see --oidc-scope/,
  },
  {
    what: "a groups claim that is not listed",
    change: { document: { claims_supported: ["sub", "realm_access"] } },
    options: { groupsClaim: "teams" },
    want: /note provider.claims: the provider does not list the claim teams/,
  },
  {
    what: "a token endpoint that is broken",
    change: { answers: { token: { status: 500, body: "" } } },
    want: /note provider.client: its token endpoint does not say/,
  },
])("$what is found", async ({ change, options, want }) => {
  if (change !== undefined) await provider.change(change);
  const issuer = options?.issuer === "SLASH" ? { issuer: `${provider.issuer}/` } : {};
  expect((await check({ ...options, ...issuer })).some((line) => want.test(line))).toBe(true);
});

test("a provider that is away, or trusted by nobody here, is told with the redirect URIs all the same", async () => {
  const port = freePort();
  const away = await check({ issuer: `http://127.0.0.1:${port}` });
  expect(away[0]).toContain(
    `problem provider.discovery: cannot reach the identity provider at http://127.0.0.1:${port}`,
  );
  expect(away.slice(1).join("\n")).toContain(`${ORIGIN}/login/callback`);
  const { tlsCert, tlsKey } = writeTlsFiles(tempFolder());
  const tls = { cert: readFileSync(tlsCert, "utf8"), key: readFileSync(tlsKey, "utf8") };
  await using other = await startProvider({ tls });
  expect((await check({ issuer: other.issuer }))[0]).toMatch(/certificate is not trusted; .*SSL_CERT_FILE/);
});

test("what cannot be checked is a finding as well", async () => {
  const empty = tempFolder();
  expect((await checkProvider(empty))[0]).toMatchObject({ status: "note", code: "provider.settings" });
  writeFileSync(join(empty, "provider.json"), "{");
  expect((await checkProvider(empty))[0]).toMatchObject({ status: "problem", code: "provider.settings" });
  const gone = join(tempFolder(), "gone");
  writeFileSync(gone, "a secret", { mode: 0o600 });
  const dataDir = tempFolder();
  const external = { issuer: provider.issuer, clientId: SECRET_CLIENT.id, clientSecretFile: gone };
  const oidc = await externalOidc(external, silentLog);
  await writeProviderFile(dataDir, {
    origin: ORIGIN,
    oidc,
    external: { ...external, clientSecretFile: `${gone}-2` },
  });
  expect((await checkProvider(dataDir))[0]?.message).toContain("cannot be read");
});
