import { afterEach, describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { isQfError } from "../../src/base/errors.ts";
import { systemInitiator } from "../../src/management/db/tables/audit-events.ts";
import { insertPeer } from "../../src/management/db/tables/new-peer.ts";
import { initManagement } from "../../src/management/init.ts";
import { type RunningManagement, startManagement } from "../../src/management/serve.ts";
import type { ServeOptions } from "../../src/management/serve-options.ts";
import { createBrowser, textOfId } from "../support/browser.ts";
import { EXTERNAL_USERS, startExternalIdp } from "../support/external-idp.ts";
import { aNewPeer } from "../support/peer-row.ts";
import { openSignedClient, walkForms } from "../support/signed-client.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { writeTlsFiles } from "../support/tls.ts";

const OWNER = { email: "owner@example.com", password: "owner password" };
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(options: ServeOptions): Promise<RunningManagement> {
  const running = await startManagement({ listen: "127.0.0.1:0", ...options });
  closers.push(running.close);
  return running;
}

async function initialised(): Promise<{ dataDir: string; token: string; accountId: string }> {
  const dataDir = join(tempFolder(), "data");
  const { token, accountId } = await initManagement({
    dataDir,
    ownerEmail: OWNER.email,
    ownerPassword: OWNER.password,
  });
  return { dataDir, token, accountId };
}

async function failureOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "none",
    (error: unknown) => (isQfError(error) ? error.code : String(error)),
  );
}

describe("startManagement", () => {
  test("answers under one origin, and under the same after a restart", async () => {
    const { dataDir, token } = await initialised();
    const first = await startManagement({ dataDir, listen: "127.0.0.1:0" });
    expect(first.issuer).toBe(`${first.url}/idp`);
    expect(first.setupLink).toBeNull();
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
    const users = await fetch(`${first.url}/api/users`, { headers: { authorization: `Token ${token}` } });
    expect(users.status).toBe(200);
    await first.close();
    await first.close();
    const second = await start({ dataDir });
    expect(second.url).toBe(first.url);
  });

  test("refuses to be known by another address unless told so", async () => {
    const { dataDir } = await initialised();
    const first = await startManagement({ dataDir, listen: "127.0.0.1:0" });
    await first.close();
    expect(await failureOf(startManagement({ dataDir, listen: "127.0.0.2:0" }))).toBe("ERR_USAGE");
    const moved = await start({ dataDir, listen: "127.0.0.2:0", publicUrl: "https://qf.example.com" });
    expect(moved.url).toBe("https://qf.example.com");
  });

  test("refuses another public URL once peers know the one it has, unless it is to move", async () => {
    const { dataDir, accountId } = await initialised();
    const listen = "127.0.0.1:0";
    const first = await startManagement({ dataDir, listen, publicUrl: "https://a.example.com" });
    await first.close();
    // By mistake and back, while nobody has enrolled.
    const second = await startManagement({ dataDir, listen, publicUrl: "https://b.example.com" });
    const { store } = second.context;
    await store.change({ accountId, initiator: systemInitiator }, (tx) =>
      insertPeer(tx, aNewPeer(accountId)),
    );
    await second.close();
    const other = { dataDir, listen, publicUrl: "https://c.example.com" };
    expect(await failureOf(startManagement(other))).toBe("ERR_USAGE");
    const same = await startManagement({ dataDir, listen });
    expect(same.url).toBe("https://b.example.com");
    await same.close();
    expect((await start({ ...other, move: true })).url).toBe("https://c.example.com");
  });

  test.each([
    { request: "GET /api/users HTTP/1.0", status: 400 },
    { request: "GET //evil.example/api HTTP/1.0", status: 400 },
    { request: "GET /healthz HTTP/1.0", status: 200 },
    { request: "GET /healthz?x HTTP/1.0", status: 200 },
    { request: "GET /api/users HTTP/1.1\r\nHost: a b", status: 400 },
    { request: "GET /api/users HTTP/1.1", status: 400 },
  ])("answers $request with $status", async ({ request, status }) => {
    const running = await start({ dataDir: (await initialised()).dataDir });
    const socket = connect(Number(new URL(running.url).port), "127.0.0.1");
    socket.write(`${request}\r\nConnection: close\r\n\r\n`);
    const answer = await new Promise<string>((resolve) =>
      socket.once("data", (data) => resolve(String(data))),
    );
    socket.destroy();
    expect(answer).toStartWith(`HTTP/1.1 ${status} `);
  });

  test("says which address is taken, and that another process has the data", async () => {
    const { dataDir } = await initialised();
    const running = await start({ dataDir });
    const other = await initialised();
    const { host } = new URL(running.url);
    expect(await failureOf(startManagement({ dataDir: other.dataDir, listen: host }))).toBe(
      "ERR_ADDRESS_IN_USE",
    );
    expect(await failureOf(startManagement({ dataDir, listen: "127.0.0.1:0" }))).toBe("ERR_CONFLICT");
  });

  test.each([
    { name: "another interface without TLS", options: { listen: "0.0.0.0:0" } },
    { name: "half of a TLS pair", options: { tlsCert: "/nowhere" } },
    { name: "what is no address", options: { listen: "8080" } },
    { name: "a public URL in the clear", options: { publicUrl: "http://qf.example.com" } },
    { name: "a public URL with a path", options: { publicUrl: "https://qf.example.com/x" } },
    {
      name: "an issuer in the clear",
      options: { oidc: { issuer: "http://idp.example.com", clientId: "x" } },
    },
  ])("refuses $name", async ({ options }) => {
    const { dataDir } = await initialised();
    expect(await failureOf(startManagement({ dataDir, listen: "127.0.0.1:0", ...options }))).toBe(
      "ERR_USAGE",
    );
  });

  test("says which TLS file is wrong, and not that the address is", async () => {
    const { dataDir } = await initialised();
    const { tlsCert, tlsKey } = writeTlsFiles(tempFolder());
    const other = join(tempFolder(), "other.pem");
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(other, privateKey.export({ type: "pkcs8", format: "pem" }));
    const said = async (options: Partial<ServeOptions>): Promise<string> =>
      startManagement({ dataDir, listen: "127.0.0.1:0", ...options }).then(
        () => "none",
        (error: unknown) => String(error),
      );
    expect(await said({ tlsCert: tlsKey, tlsKey })).toContain(`${tlsKey} holds no certificate`);
    expect(await said({ tlsCert, tlsKey: tlsCert })).toContain(`${tlsCert} holds no private key`);
    expect(await said({ tlsCert, tlsKey: other })).toContain("does not belong to the certificate");
    expect(await said({ tlsCert: "/dev/zero", tlsKey })).toContain("/dev/zero is too large");
  });

  test("says what a TLS file has to be when there is none", async () => {
    const { dataDir } = await initialised();
    const { tlsCert, tlsKey } = writeTlsFiles(tempFolder());
    const missing = join(tempFolder(), "missing.pem");
    const refusal = (options: Partial<ServeOptions>): Promise<unknown> =>
      startManagement({ dataDir, listen: "127.0.0.1:0", ...options }).catch((error: unknown) => error);
    expect(await refusal({ tlsCert: missing, tlsKey })).toMatchObject({
      code: "ERR_PERMISSION",
      message: `${missing}: no such file or folder (open)`,
      hint: "--tls-cert takes a certificate chain in PEM that the user who runs this may read",
    });
    expect(await refusal({ tlsCert, tlsKey: missing })).toMatchObject({
      hint: "--tls-key takes a private key in PEM that the user who runs this may read",
    });
  });

  test("does not start without its master key, or with one that others may read", async () => {
    const { dataDir } = await initialised();
    const file = join(dataDir, "master.key");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    chmodSync(file, 0o644);
    expect(await failureOf(startManagement({ dataDir, listen: "127.0.0.1:0" }))).toBe("ERR_PERMISSION");
    const device = { dataDir, listen: "127.0.0.1:0", masterKeyFile: "/dev/null" };
    expect(await failureOf(startManagement(device))).toBe("ERR_USAGE");
    unlinkSync(file);
    expect(await failureOf(startManagement({ dataDir, listen: "127.0.0.1:0" }))).toBe("ERR_NOT_INITIALISED");
    writeFileSync(file, new Uint8Array(32).fill(1), { mode: 0o600 });
    expect(await failureOf(startManagement({ dataDir, listen: "127.0.0.1:0" }))).toBe("ERR_STATE_DAMAGED");
  });
});

describe("a server with TLS", () => {
  test("serves its provider under https, with cookies that stay there", async () => {
    const { dataDir } = await initialised();
    const running = await start({ dataDir, ...writeTlsFiles(tempFolder()) });
    expect(running.url).toStartWith("https://127.0.0.1:");
    const get = (path: string) =>
      fetch(running.url + path, { redirect: "manual", tls: { rejectUnauthorized: false } });
    const discovery = (await (await get("/idp/.well-known/openid-configuration")).json()) as {
      token_endpoint: string;
    };
    expect(discovery.token_endpoint).toBe(`${running.url}/idp/token`);
    const query = new URLSearchParams({
      client_id: "qufabric-cli",
      redirect_uri: "http://127.0.0.1:1/callback",
      response_type: "code",
      scope: "openid",
      code_challenge: "x".repeat(43),
      code_challenge_method: "S256",
    });
    const begun = await get(`/idp/auth?${query}`);
    const cookies = begun.headers.getSetCookie();
    expect(cookies.length).toBeGreaterThan(0);
    for (const cookie of cookies) expect(cookie).toMatch(/; secure/i);
    expect(begun.headers.get("location")).toStartWith("/idp/interaction/");
  });
});

describe("a server without an account", () => {
  test("is set up by its one-time link, once", async () => {
    const dataDir = join(tempFolder(), "data");
    const running = await start({ dataDir });
    expect((await fetch(`${running.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${running.url}/idp/auth`)).status).toBe(503);
    expect((await fetch(`${running.url}/client/v1/config`)).status).toBe(503);
    const browser = createBrowser();
    expect((await browser.open(`${running.url}/setup/${"x".repeat(43)}`)).status).toBe(404);
    const form = await browser.open(running.setupLink ?? "");
    const short = await browser.submit(form, { email: OWNER.email, password: "short" });
    expect(short.status).toBe(422);
    const done = await browser.submit(short, OWNER);
    const token = textOfId(done, "token") ?? "";
    const users = await fetch(`${running.url}/api/users`, { headers: { authorization: `Token ${token}` } });
    expect(await users.json()).toMatchObject([{ email: OWNER.email, role: "owner" }]);
    expect((await browser.open(running.setupLink ?? "")).status).toBe(404);
    const client = await openSignedClient(running.url);
    expect((await client.register(await client.signIn(OWNER))).user.email).toBe(OWNER.email);
  });

  test("opens one account however often the form is sent at once", async () => {
    const running = await start({ dataDir: join(tempFolder(), "data") });
    const send = () =>
      fetch(running.setupLink ?? "", { method: "POST", body: new URLSearchParams(OWNER) }).then(
        ({ status }) => status,
      );
    const statuses = await Promise.all(Array.from({ length: 8 }, send));
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  });

  test("takes whoever opens the link and signs in elsewhere as its owner", async () => {
    const idp = await startExternalIdp();
    closers.push(idp.stop);
    const oidc = { issuer: idp.issuer, clientId: idp.clientId, scope: "openid profile email" };
    const running = await start({ dataDir: join(tempFolder(), "data"), oidc });
    expect(running.issuer).toBe(idp.issuer);
    const [grace, alan] = EXTERNAL_USERS;
    const browser = createBrowser();
    const done = await walkForms(browser, await browser.open(running.setupLink ?? ""), grace);
    const token = textOfId(done, "token") ?? "";
    const headers = { authorization: `Token ${token}` };
    expect((await fetch(`${running.url}/idp/auth`)).status).toBe(404);

    const client = await openSignedClient(running.url);
    const registered = await client.register(await client.signIn(grace));
    expect(registered).toMatchObject({ binding: "idp", user: { email: grace.email, name: grace.name } });

    const other = await openSignedClient(running.url);
    const opened = await other.api.openHosted({
      loginKey: other.loginKey.publicKey,
      deviceName: "desk",
      target: "",
      localUser: "",
      fresh: true,
    });
    const page = await walkForms(createBrowser(), await createBrowser().open(opened.url), alan);
    expect(page.status).toBe(403); // Two browsers: the form belongs to the first.
    const own = createBrowser();
    const shown = await walkForms(own, await own.open(opened.url), alan);
    const claim = { pollSecret: opened.pollSecret, code: textOfId(shown, "code") ?? "" };
    const answer = await other.api.claimHosted(opened.id, claim);
    if (answer.status !== "approved") throw new Error(answer.status);
    const joined = await other.register(answer.proof);
    expect(joined.user.name).toBe("Alan <b>Turing</b>"); // A name like any other: every page escapes it.
    const users = (await (await fetch(`${running.url}/api/users`, { headers })).json()) as object[];
    expect(users).toHaveLength(2);
    expect(users).toContainEqual(expect.objectContaining({ email: grace.email, role: "owner" }));
    expect(users).toContainEqual(
      expect.objectContaining({ email: alan.email, role: "user", auto_groups: [] }),
    );
  });

  test("is the client of a provider that gave it a secret", async () => {
    const idp = await startExternalIdp();
    closers.push(idp.stop);
    const folder = tempFolder();
    const clientSecretFile = join(folder, "secret");
    writeFileSync(clientSecretFile, `${idp.clientSecret}\n`, { mode: 0o600 });
    const oidc = { issuer: idp.issuer, clientId: idp.confidentialClientId, clientSecretFile };
    const running = await start({ dataDir: join(folder, "data"), oidc });
    const browser = createBrowser();
    const done = await walkForms(browser, await browser.open(running.setupLink ?? ""), EXTERNAL_USERS[0]);
    expect(textOfId(done, "token")).toStartWith("qfp_");
    const config = (await (await fetch(`${running.url}/client/v1/config`)).json()) as object;
    expect(config).toMatchObject({ oidc: { loopback: false, issuer: idp.issuer } });
    unlinkSync(clientSecretFile);
    const again = startManagement({ dataDir: join(folder, "other"), listen: "127.0.0.1:0", oidc });
    expect(await failureOf(again)).toBe("ERR_PERMISSION");
  });
});
