/** Sign-ins that fail at the provider: what terminal, page, log and audit say, and whose no it is. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { authorizationUrl, newState, newVerifier, redeemCode } from "../../../src/identity/code-flow.ts";
import { fetchProviderDocument } from "../../../src/identity/provider-document.ts";
import { freePort, startProvider, type TestProvider } from "../../support/provider.ts";
import { comeBack } from "../../support/provider-browser.ts";
import { type ProviderSetup, PUBLIC_CLIENT, type SigningAlgorithm } from "../../support/provider-setup.ts";
import {
  type ProviderManagement,
  saidBy,
  startProviderManagement,
  WAYS,
  type Way,
} from "../../support/provider-sign-in.ts";
import { openSignedClient } from "../../support/signed-client.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { writeTlsFiles } from "../../support/tls.ts";

let provider: TestProvider;
let management: ProviderManagement;
beforeAll(async () => {
  provider = await startProvider();
  management = await startProviderManagement(provider, { clientId: PUBLIC_CLIENT.id });
});
beforeEach(async () => {
  await provider.reset();
  management.told.length = 0;
});
afterAll(async () => {
  await management.close();
  await provider.stop();
});

const eventsOf = async (code: string) =>
  (await management.events()).filter(({ activity_code }) => activity_code === code);

test.each(WAYS)("a sign-in works by the way %s", async (way) => {
  const { user } = await management.signIn(way);
  expect(user).toMatchObject({ name: "Grace Hopper", email: "grace@corp.example" });
});

interface Failure {
  readonly name: string;
  readonly change: Partial<ProviderSetup>;
  /** Part of the sentence at the terminal. */
  readonly sentence: string;
  readonly code?: string;
  /** In log and audit. */
  readonly details: Record<string, string>;
}

const FAILURES: readonly Failure[] = [
  {
    name: "invalid_client",
    change: { clients: [{ ...PUBLIC_CLIENT, auth: ["client_secret_basic"] }] },
    sentence: "does not accept management's client credentials",
    details: { endpoint: "token", providerError: "invalid_client" },
  },
  {
    name: "interaction_required",
    change: { authorizationError: { error: "interaction_required", error_description: "use MFA" } },
    sentence: "could not ask for (interaction_required)",
    details: { providerError: "interaction_required", providerDescription: "use MFA" },
  },
  {
    name: "server_error",
    change: { authorizationError: { error: "server_error" } },
    sentence: "cannot sign anybody in now",
    code: "ERR_UNAVAILABLE",
    details: { endpoint: "authorization", providerError: "server_error" },
  },
  {
    name: "a token for another client",
    change: { claims: { sub: "p", aud: "account" } },
    sentence: "the token is for another client",
    details: { check: "audience", expected: "qufabric", got: "account" },
  },
  {
    name: "an end long ago",
    change: { claims: { sub: "p", iat: "now-400", exp: "now-70" } },
    sentence: "the identity provider's token has expired",
    details: { check: "expired" },
  },
  {
    name: "a clock ahead",
    change: { claims: { sub: "p", nbf: "now+70" } },
    sentence: "the identity provider's clock is ahead",
    details: { check: "not_yet_valid" },
  },
];

test.each(FAILURES.flatMap((failure) => WAYS.map((way) => ({ ...failure, way }))))(
  "$name ends the way $way in the provider's words, and is nobody's no",
  async ({ change, sentence, code = "ERR_LOGIN_FAILED", way }) => {
    await provider.change(change);
    const said = await saidBy(management.signIn(way));
    expect(said.code).toBe(code);
    expect(said.message).toContain(sentence);
    expect(await eventsOf("login.hosted.deny")).toEqual([]);
  },
);

test.each(FAILURES.map(({ name, change, sentence, details }) => ({ name, change, sentence, details })))(
  "$name on management's page is in its log and in audit",
  async ({ change, sentence, details }) => {
    await provider.change(change);
    let page = { status: 0, text: "" };
    const { message } = await saidBy(management.signIn("hosted", { onPage: (last) => (page = last) }));
    // The page says what the terminal says.
    expect(page.status).toBeGreaterThanOrEqual(400);
    expect(page.text.toLowerCase()).toContain(message.replaceAll("'", "&#39;").toLowerCase());
    const [line] = management.told.filter(({ message: told }) => told === "sign-in failed");
    expect(line?.fields).toMatchObject({ what: "hosted", ...details });
    const event = (await eventsOf("login.failed")).at(-1);
    expect(event?.meta).toMatchObject({ reason: message, what: "hosted", ...details });
    expect(message).toContain(sentence);
  },
);

test("access_denied is a no, with the provider's reason", async () => {
  const error_description = "User is not assigned to the client application.";
  await provider.change({ authorizationError: { error: "access_denied", error_description } });
  for (const way of WAYS) {
    const { message, hint } = await saidBy(management.signIn(way));
    expect(message).toBe("the sign-in was refused");
    expect(hint).toContain(error_description);
  }
  const [event] = await eventsOf("login.hosted.deny");
  expect(event?.meta).toMatchObject({
    providerError: "access_denied",
    providerDescription: error_description,
  });
});

test.each<[algorithm: SigningAlgorithm, taken: boolean]>([
  ["RS256", true],
  ["PS256", true],
  ["ES256", true],
  ["EdDSA", true],
  ["RS512", false],
  ["ES384", false],
  ["HS256", false],
])("a provider that signs with %s is taken: %p", async (algorithm, taken) => {
  await using other = await startProvider({ setup: { algorithm } });
  const own = await startProviderManagement(other, { clientId: PUBLIC_CLIENT.id });
  for (const way of WAYS) {
    if (taken) {
      expect((await own.signIn(way)).user.name).toBe("Grace Hopper");
    } else {
      const { message } = await saidBy(own.signIn(way));
      expect(message).toBe(`the identity provider signs with ${algorithm}, which is not taken`);
    }
  }
  await own.close();
});

test.each<[what: string, claims: Record<string, unknown>]>([
  ["an end 40 s ago", { iat: "now-400", exp: "now-40" }],
  ["a beginning in 40 s", { nbf: "now+40" }],
  ["a sign-in in 40 s", { auth_time: "now+40" }],
])("a clock difference within the tolerance is none: %s", async (_what, claims) => {
  await provider.change({ claims: { sub: "person-1", name: "Grace", email: "g@corp.example", ...claims } });
  for (const way of WAYS) expect((await management.signIn(way)).user.name).toBe("Grace");
});

test("without a nonce the page signs in, and the loopback way says to use it", async () => {
  await provider.change({ nonce: false });
  expect((await management.signIn("hosted")).binding).toBe("ca");
  const { message, hint } = await saidBy(management.signIn("loopback"));
  expect(message).toBe("the identity provider leaves the nonce out of its token");
  expect(hint).toContain("--no-browser");
});

test.each<[fresh: boolean, promptLogin: boolean, want: Record<string, string | undefined>]>([
  [false, false, { prompt: undefined, max_age: undefined }],
  [true, false, { prompt: undefined, max_age: "0" }],
  [false, true, { prompt: "login", max_age: undefined }],
  [true, true, { prompt: "login", max_age: "0" }],
])("fresh %p and prompt_login %p ask the provider alike by both ways", async (fresh, promptLogin, want) => {
  await management.changeSettings({ prompt_login: promptLogin });
  for (const way of WAYS) await management.signIn(way, { fresh });
  const { authorizations } = await provider.seen();
  expect(authorizations.map(({ prompt, max_age }) => ({ prompt, max_age }))).toEqual([want, want] as never);
  await management.changeSettings({});
});

test("a key that came into use this minute is found by the provider's own answer to management", async () => {
  await management.signIn("hosted");
  await provider.rotate();
  // Made-up names of keys cost the provider one question a minute; a client's token may be such.
  expect((await saidBy(management.signIn("loopback"))).message).toContain("does not publish");
  await management.signIn("hosted");
  await management.signIn("loopback");
});

test("a provider that comes up late is named, and used as soon as it is there", async () => {
  const port = freePort();
  const late = { issuer: `http://127.0.0.1:${port}` };
  const own = await startProviderManagement(late, { clientId: PUBLIC_CLIENT.id });
  const away = `cannot reach the identity provider at ${late.issuer}: connection refused`;
  for (const way of WAYS) {
    expect(await saidBy(own.signIn(way))).toMatchObject({ code: "ERR_UNAVAILABLE", message: away });
  }
  // Who has a token of it already is told the same, and why.
  const client = await openSignedClient(own.url);
  const token = await tokenOf(provider, late.issuer);
  const { code, message } = await saidBy(client.register({ kind: "id_token", idToken: token }));
  expect({ code, message }).toEqual({
    code: "ERR_UNAVAILABLE",
    message: `the identity provider's keys could not be fetched: ${away}`,
  });
  expect(own.told.some(({ fields }) => fields.message === away)).toBe(true);
  await using _up = await startProvider({ port });
  expect((await own.signIn("hosted")).user.name).toBe("Grace Hopper");
  await own.close();
});

test("a provider whose certificate nobody here trusts is told so, with the way out", async () => {
  const { tlsCert, tlsKey } = writeTlsFiles(tempFolder());
  const tls = { cert: readFileSync(tlsCert, "utf8"), key: readFileSync(tlsKey, "utf8") };
  await using other = await startProvider({ tls });
  const own = await startProviderManagement(other, { clientId: PUBLIC_CLIENT.id });
  for (const way of WAYS) {
    const { message, hint } = await saidBy(own.signIn(way));
    expect(message).toContain("its TLS certificate is not trusted");
    expect(hint).toContain("SSL_CERT_FILE");
  }
  await own.close();
});

/** A token that names `issuer`, signed by somebody. */
async function tokenOf(signer: TestProvider, issuer: string): Promise<string> {
  await signer.change({ claims: { sub: "p", iss: issuer } });
  const attempt = { state: newState(), verifier: newVerifier(), redirectUri: "http://127.0.0.1/callback" };
  const document = await fetchProviderDocument(signer.issuer, fetch);
  const order = { ...attempt, clientId: PUBLIC_CLIENT.id, scope: "openid", nonce: "n" };
  const callback = await comeBack(
    await authorizationUrl(document, { ...order, fresh: false, promptLogin: false }),
  );
  const credentials = { clientId: PUBLIC_CLIENT.id, clientSecret: null, clientAuth: null };
  return (await redeemCode(document, { ...attempt, credentials, callback, fetch })).idToken;
}

const ANY_WAY: Way = "loopback";
test("a person is the issuer and the subject, whatever else changes", async () => {
  const first = await management.signIn(ANY_WAY);
  await provider.change({
    claims: { sub: "person-1", name: "Grace B. M. Hopper", email: "new@corp.example" },
  });
  const second = await management.signIn("hosted");
  expect(second.user.id).toBe(first.user.id);
  await provider.change({ claims: { sub: "person-2", name: "Grace Hopper", email: "grace@corp.example" } });
  expect((await management.signIn(ANY_WAY)).user.id).not.toBe(first.user.id);
});
