import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as jose from "jose";
import * as oauth from "oauth4webapi";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLog } from "../../../src/base/log.ts";
import { newServerKeys, openProviderJwk, openSecret } from "../../../src/management/ca/account-keys.ts";
import type { Row } from "../../../src/management/db/schema/schema.ts";
import { mountInteractions } from "../../../src/management/idp/interactions.ts";
import { createKnownBrowsers } from "../../../src/management/idp/known-browser.ts";
import { openProviderMount, type ProviderMount } from "../../../src/management/idp/mount.ts";
import { createPasswordCheck, hashPassword, passwordStamp } from "../../../src/management/idp/passwords.ts";
import { createProvider } from "../../../src/management/idp/provider.ts";
import { createBrowser } from "../../support/browser.ts";
import { fakeAccounts, fakePayloads } from "../../support/idp-store.ts";

const REDIRECT = "http://127.0.0.1:45999/callback";
const client: oauth.Client = { client_id: "qufabric-cli" };
const insecure = { [oauth.allowInsecureRequests]: true };
const failures: { email: string; sourceAddress: string }[] = [];
const adasHash = await hashPassword("correct horse");
let origin: string;
let folder: string;
let mount: ProviderMount;
let server: Bun.Server<undefined>;
let as: oauth.AuthorizationServer;

beforeAll(async () => {
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => mount.forward(request, "192.0.2.7"),
  });
  origin = `http://127.0.0.1:${server.port}`;
  const masterKey = new Uint8Array(32).fill(7);
  const keys = newServerKeys(masterKey, 0) as Row<"signingKeys">[];
  const accounts = fakeAccounts([
    {
      subject: "a".repeat(20),
      email: "ada@example.com",
      name: "Ada",
      passwordHash: adasHash,
      mustChange: false,
    },
    {
      subject: "b".repeat(20),
      email: "bob@example.com",
      name: "Bob",
      passwordHash: await hashPassword("staple"),
      mustChange: false,
    },
  ]);
  const provider = await createProvider({
    clock: systemClock,
    log: silentLog,
    origin,
    accounts,
    payloads: fakePayloads(),
    signingKeys: keys.filter((key) => key.purpose === "oidc").map((key) => openProviderJwk(masterKey, key)),
    cookieKeys: keys.filter((key) => key.purpose === "cookie").map((key) => openSecret(masterKey, key)),
  });
  mountInteractions({
    provider,
    clock: systemClock,
    passwords: createPasswordCheck({
      accounts,
      clock: systemClock,
      onFailure: async (failure) => void failures.push(failure),
    }),
    browsers: createKnownBrowsers(["cookie key"], origin),
    origin,
    log: silentLog,
  });
  folder = mkdtempSync(join(tmpdir(), "qf-test-"));
  mount = await openProviderMount(provider, origin, folder);
  const response = await oauth.discoveryRequest(new URL(`${origin}/idp`), insecure);
  as = await oauth.processDiscoveryResponse(new URL(`${origin}/idp`), response);
});

afterAll(async () => {
  await server.stop(true);
  await mount.close();
  rmSync(folder, { recursive: true, force: true });
});

const browse = () => createBrowser({ stopAt: (url) => url.startsWith(REDIRECT) });

async function authorization(extra: Record<string, string> = {}) {
  const verifier = oauth.generateRandomCodeVerifier();
  const url = new URL(as.authorization_endpoint ?? "");
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: REDIRECT,
    response_type: "code",
    scope: "openid profile email",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    nonce: "n".repeat(43),
    state: "s1",
    ...extra,
  }).toString();
  return { url: url.href, verifier };
}

async function exchange(callback: string, verifier: string) {
  const parameters = oauth.validateAuthResponse(as, client, new URL(callback), "s1");
  return oauth.authorizationCodeGrantRequest(
    as,
    client,
    oauth.None(),
    parameters,
    REDIRECT,
    verifier,
    insecure,
  );
}

const ada = { email: "ada@example.com", password: "correct horse" };

describe("the embedded provider", () => {
  test("signs a person in after password and confirmation, with a token that names nonce and time", async () => {
    const browser = browse();
    const { url, verifier } = await authorization({ prompt: "login", qf_device: "laptop" });
    const form = await browser.open(url);
    expect(form.status).toBe(200);
    expect(form.text).toContain("laptop");
    expect(form.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(form.headers.get("cache-control")).toBe("no-store");
    const confirm = await browser.submit(form, ada);
    expect(confirm.text).toContain("Confirm");
    const done = await browser.submit(confirm, {}, "confirm");
    expect(done.url).toStartWith(REDIRECT);
    const response = await exchange(done.url, verifier);
    const result = await oauth.processAuthorizationCodeResponse(as, client, response, {
      expectedNonce: "n".repeat(43),
      requireIdToken: true,
    });
    const jwks = jose.createLocalJWKSet(await (await fetch(as.jwks_uri ?? "")).json());
    const { payload, protectedHeader } = await jose.jwtVerify(result.id_token ?? "", jwks, {
      issuer: `${origin}/idp`,
      audience: "qufabric-cli",
    });
    expect(protectedHeader.alg).toBe("EdDSA");
    expect(payload).toMatchObject({ sub: "a".repeat(20), email: "ada@example.com", name: "Ada" });
    expect(payload.auth_time).toBeNumber();
    expect(payload.acr).toBe(passwordStamp(adasHash));
    expect(result.refresh_token).toBeUndefined();

    const again = await exchange(done.url, verifier);
    expect(again.status).toBe(400);
  });

  test("never signs in silently, also with a live session", async () => {
    const browser = browse();
    const first = await authorization();
    const confirm = await browser.submit(await browser.open(first.url), ada);
    await browser.submit(confirm, {}, "confirm");
    const second = await browser.open((await authorization()).url);
    expect(second.text).toContain("Confirm the sign-in");
    expect((await browser.submit(second, {}, "confirm")).url).toContain("code=");
    const fresh = await browser.open((await authorization({ max_age: "0" })).url);
    expect(fresh.text).toContain('name="password"');
    const other = await browser.submit(fresh, { email: "bob@example.com", password: "staple" });
    expect((await browser.submit(other, {}, "confirm")).url).toContain("code=");
    const silent = await browser.open((await authorization({ prompt: "none" })).url);
    expect(silent.url).toContain("error=");
  });

  test("a denial goes back to the client as access_denied", async () => {
    const browser = browse();
    const done = await browser.submit(await browser.open((await authorization()).url), {}, "deny");
    expect(new URL(done.url).searchParams.get("error")).toBe("access_denied");
  });

  test.each([
    { name: "a wrong password", values: { email: "ada@example.com", password: "wrong" } },
    { name: "an empty password", values: { email: "ada@example.com", password: "" } },
    { name: "an unknown person", values: { email: "eve@example.com", password: "correct horse" } },
  ])("refuses $name with the same words", async ({ values }) => {
    const browser = browse();
    const page = await browser.submit(await browser.open((await authorization()).url), values);
    expect(page.status).toBe(401);
    expect(page.text).toContain("E-mail or password is wrong.");
    expect(failures.at(-1)).toEqual({ email: values.email, sourceAddress: "192.0.2.7" });
  });

  test.each([
    { name: "no PKCE", extra: { code_challenge: "", code_challenge_method: "" } },
    { name: "plain PKCE", extra: { code_challenge_method: "plain" } },
    { name: "another response type", extra: { response_type: "id_token" } },
  ])("refuses a request with $name", async ({ extra }) => {
    const page = await browse().open((await authorization(extra)).url);
    expect(page.url).toContain("error=");
  });

  test.each([
    { name: "another redirect", extra: { redirect_uri: "https://evil.example/callback" } },
    { name: "another redirect path", extra: { redirect_uri: "http://127.0.0.1:45999/other" } },
    { name: "an unknown client", extra: { client_id: "evil" } },
  ])("answers a request with $name itself, without a redirect", async ({ extra }) => {
    const page = await browse().open((await authorization(extra)).url);
    expect(page.status).toBe(400);
    expect(page.url).toStartWith(origin);
    expect(page.text).not.toContain("<script");
  });

  /** Posts a form with the browser's own cookies, and follows nothing. */
  const post = (browser: ReturnType<typeof browse>, url: string, form: object, headers: object = {}) => {
    const { pathname } = new URL(url);
    const pairs = [...browser.jar.entries()].flatMap(([key, { path, value }]) =>
      pathname.startsWith(path) ? [`${key.split(" ")[2]}=${value}`] : [],
    );
    return fetch(url, {
      method: "POST",
      redirect: "manual",
      headers: { cookie: pairs.join("; "), ...headers },
      body: new URLSearchParams({ ...form }),
    });
  };

  test("refuses an interaction in another browser, and on the page of another sign-in", async () => {
    const browser = browse();
    const form = await browser.open((await authorization()).url);
    expect((await browse().open(form.url)).status).toBe(400);
    const other = browse();
    const otherForm = await other.open((await authorization()).url);
    expect((await post(browser, otherForm.url, ada)).status).toBe(400);
    expect((await post(other, form.url, ada)).status).toBe(400);
    // Its own cookie, sent by hand to the other's page, is not that page's.
    const cookie = [...browser.jar.entries()].map(([key, { value }]) => `${key.split(" ")[2]}=${value}`);
    const elsewhere = await post(browser, otherForm.url, ada, { cookie: cookie.join("; ") });
    expect(elsewhere.status).toBe(400);
    expect((await post(browser, form.url, ada)).status).toBe(303);
  });

  test.each(["https://evil.example", "null", "http://127.0.0.1:1"])(
    "refuses a form of a page of %s that comes with the browser's own cookies",
    async (from) => {
      const browser = browse();
      const form = await browser.open((await authorization()).url);
      const foreign = await post(browser, form.url, ada, { origin: from });
      expect(foreign.status).toBe(400);
      expect(await foreign.text()).toContain("another site");
      // The very same form from our own page signs in.
      expect((await post(browser, form.url, ada, { origin })).status).toBe(303);
    },
  );

  test("takes nothing for a confirmation but a confirmation", async () => {
    const browser = browse();
    const form = await browser.open((await authorization()).url);
    const confirm = await browser.submit(form, ada);
    expect(confirm.text).toContain("Confirm the sign-in");
    for (const values of [{}, { action: "yes" }, { action: "login", ...ada }]) {
      const answer = await post(browser, confirm.url, values, { origin });
      expect(answer.status).toBe(400);
      expect(answer.headers.get("location")).toBeNull();
    }
    expect((await post(browser, confirm.url, { action: "confirm" }, { origin })).status).toBe(303);
  });

  test("asks for a confirmation after a password where the terminal is on this computer", async () => {
    const browser = browse();
    const form = await browser.open((await authorization()).url);
    const next = await browser.submit(form, ada);
    expect(next.status).toBe(200);
    expect(next.text).toContain("Confirm the sign-in");
  });

  test("signs the one in whose password was typed, whoever was signed in before", async () => {
    const browser = browse();
    const first = await authorization();
    await browser.submit(await browser.submit(await browser.open(first.url), ada), {}, "confirm");
    const { url, verifier } = await authorization({ prompt: "login" });
    const bob = { email: "bob@example.com", password: "staple" };
    const done = await browser.submit(await browser.submit(await browser.open(url), bob), {}, "confirm");
    expect(done.url).toStartWith(REDIRECT);
    const tokens = await oauth.processGenericTokenEndpointResponse(
      as,
      client,
      await exchange(done.url, verifier),
    );
    expect(jose.decodeJwt(tokens.id_token ?? "").sub).toBe("b".repeat(20));
  });

  test("tells of each failed try, with where it came from", async () => {
    failures.length = 0;
    const browser = browse();
    const form = await browser.open((await authorization()).url);
    await post(
      browser,
      form.url,
      { email: "Mallory@example.com", password: "x" },
      { "x-qufabric-source": "10.0.0.1" },
    );
    expect(failures).toEqual([{ email: "Mallory@example.com", sourceAddress: "192.0.2.7" }]);
  });

  test.each(["/idp/reg", "/idp/me", "/idp/device/auth", "/idp/token/introspection", "/idp/session/end"])(
    "has no %s",
    async (path) => {
      expect((await fetch(origin + path)).status).toBe(404);
    },
  );

  test("ignores forwarded headers of the client", async () => {
    const response = await fetch(`${origin}/idp/.well-known/openid-configuration`, {
      headers: { "x-forwarded-host": "evil.example", "x-forwarded-proto": "https", host: "evil.example" },
    });
    expect(JSON.stringify(await response.json())).not.toContain("evil.example");
  });

  test("stops guessing after ten tries for one e-mail address", async () => {
    const browser = browse();
    const form = await browser.open((await authorization()).url);
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) {
      statuses.push((await browser.submit(form, { email: "eve2@example.com", password: "x" })).status);
    }
    expect(statuses.slice(0, 10)).toEqual(new Array(10).fill(401));
    expect(statuses.slice(10)).toEqual([429, 429]);
  });
});
