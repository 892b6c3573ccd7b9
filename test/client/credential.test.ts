import { afterEach, expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import type { QfError } from "../../src/base/errors.ts";
import { newId } from "../../src/base/random.ts";
import type { Environment } from "../../src/client/client-folder.ts";
import { openClientSession } from "../../src/client/client-session.ts";
import { type CredentialOptions, obtainCertificate } from "../../src/client/credential.ts";
import { sentenceOf } from "../../src/policy/sentences.ts";
import { type FakeManagement, startFakeManagement } from "../support/fake-management.ts";
import { tempFolder } from "../support/temp-folder.ts";

const fakes: FakeManagement[] = [];
const agents: Server[] = [];
afterEach(() => {
  for (const fake of fakes.splice(0)) fake.close();
  for (const agent of agents.splice(0)) agent.close();
});

/** A person on a device, whose browser signs in by itself. */
function aPerson(extra: Record<string, string> = {}) {
  const fake = startFakeManagement();
  fakes.push(fake);
  const environment: Environment = {
    QF_CONFIG_DIR: join(tempFolder(), "config"),
    QF_AGENT_STATE_DIR: join(tempFolder(), "none"),
    QF_MANAGEMENT_URL: fake.url,
    BROWSER: "true",
    ...extra,
  };
  const said: string[] = [];
  const terminal = {
    say: (line: string) => {
      said.push(line);
      if (line.startsWith("http")) void fake.visit(line);
    },
    canAsk: () => false,
    ask: () => Promise.reject(new Error("nobody is there")),
  };
  const connect = (change: Partial<CredentialOptions> = {}) =>
    obtainCertificate({ target: "Web1", localUser: "deploy", environment, terminal, ...change });
  const keep = async (ttlSeconds: number) => {
    const session = await openClientSession({ environment, terminal });
    await session.folder.updateConfig((config) => ({ ...config, ttlSeconds }));
    return session;
  };
  return { fake, environment, terminal, said, connect, keep };
}

function denied(reason: string): FakeManagement["answers"][number] {
  const sentence = "User is not authorized to login as OS user";
  return { outcome: "denied", reason: reason as "user_blocked", sentence, hint: "ask", receipt: newId() };
}

test("a first connection signs in, registers the device, and gets a certificate for its login key", async () => {
  const { fake, connect } = aPerson();
  const credential = await connect();
  expect(credential.certificateBlob.toString()).toBe(`certificate for ${credential.loginKey.publicKey}`);
  expect(fake.certificates).toMatchObject([{ target: "web1", localUser: "deploy" }]);
  expect(fake.registrations).toHaveLength(1);
  expect(credential.scope).toEqual({ accountId: fake.accountId, origin: fake.url });
});

test("with a TTL of 0 every connection signs in anew, and nothing is kept", async () => {
  const { fake, connect, environment } = aPerson();
  const keys = [await connect(), await connect()].map((credential) => credential.loginKey.publicKey);
  expect(new Set(keys).size).toBe(2);
  expect(fake.authorizations.map((request) => request.get("max_age"))).toEqual(["0", "0"]);
  expect(readdirSync(environment.QF_CONFIG_DIR ?? "").sort()).toEqual(["config.json", "device-key.json"]);
});

test("with a TTL the login is reused, by the same device", async () => {
  const { fake, connect, keep } = aPerson();
  await keep(600);
  const [first, second] = [await connect(), await connect()];
  expect(second.loginKey.publicKey).toBe(first.loginKey.publicKey);
  expect(second.devicePeerId).toBe(first.devicePeerId);
  expect(fake.authorizations).toHaveLength(1);
  expect(fake.authorizations[0]?.has("max_age")).toBe(false);
  expect(fake.certificates.map(({ proof }) => proof.kind)).toEqual(["id_token", "id_token"]);
});

test("a connection by a kept login takes one challenge, and one by a login that is over takes a new one", async () => {
  const { fake, connect, keep } = aPerson();
  await keep(600);
  await connect();
  const asked: string[] = [];
  const counting = ((url: string, init: RequestInit) => {
    asked.push(new URL(url).pathname.split("/").at(-1) ?? "");
    return fetch(url, init);
  }) as typeof fetch;
  await connect({ fetch: counting });
  expect(asked).toEqual(["challenges", "certificates"]);
  asked.length = 0;
  fake.answers.push(denied("token_too_old"));
  await connect({ fetch: counting });
  expect(asked.filter((path) => path === "certificates")).toHaveLength(2);
  expect(fake.authorizations).toHaveLength(2);
});

test("the account caps the TTL", async () => {
  const { fake, connect, keep } = aPerson();
  fake.config.loginSecondsMax = 0;
  await keep(600);
  await connect();
  await connect();
  expect(fake.authorizations).toHaveLength(2);
});

test("a token without a nonce of ours is named by its login id from then on", async () => {
  const { fake, connect, keep } = aPerson();
  fake.binding = "ca";
  await keep(600);
  await connect();
  await connect();
  expect(fake.certificates.map(({ proof }) => proof.kind)).toEqual(["claimed", "claimed"]);
});

test.each<[what: string, answer: FakeManagement["answers"][number]]>([
  ["is too old", denied("token_too_old")],
  ["was revoked", denied("login_revoked")],
  ["must be fresher", denied("reauth_required")],
  ["is of a device that is gone", denied("device_unknown")],
  ["is not taken", { failure: "ERR_TOKEN_INVALID", status: 401 }],
  ["is unknown", { failure: "ERR_LOGIN_REQUIRED", status: 401 }],
])("a kept login that %s is replaced once", async (_what, answer) => {
  const { fake, connect, keep } = aPerson();
  await keep(600);
  const first = await connect();
  fake.answers.push(answer);
  const second = await connect();
  expect(second.loginKey.publicKey).not.toBe(first.loginKey.publicKey);
  expect(fake.authorizations).toHaveLength(2);
  expect((await connect()).loginKey.publicKey).toBe(second.loginKey.publicKey);
});

test("a new login that is refused is not tried again", async () => {
  const { fake, connect } = aPerson();
  fake.answers.push(denied("token_too_old"));
  const error = (await connect().catch((reason: unknown) => reason)) as QfError;
  expect(error.code).toBe("ERR_ACCESS_DENIED");
  expect(fake.authorizations).toHaveLength(1);
});

test("a denial is the machine's sentence, with hint and receipt, and no new sign-in", async () => {
  const { fake, connect, keep } = aPerson();
  await keep(600);
  await connect();
  const answer = denied("local_user_not_authorized");
  fake.answers.push(answer);
  const error = (await connect().catch((reason: unknown) => reason)) as QfError;
  expect(error.message).toBe(sentenceOf("local_user_not_authorized").sentence);
  expect(error.hint).toMatch(/^ask; receipt [a-z0-9]{20}$/);
  expect(fake.authorizations).toHaveLength(1);
});

test("a token of scope api signs nobody in: the person's own login counts", async () => {
  const { fake, connect, keep } = aPerson({ QF_TOKEN: "qfp_0123456789abcdef" });
  await keep(600);
  await connect();
  expect(fake.certificates).toMatchObject([{ proof: { kind: "id_token" } }]);
});

test("a service user's token signs in without anybody, and is never kept", async () => {
  const { fake, connect, keep, environment } = aPerson({ QF_TOKEN: "qft_0123456789abcdef" });
  await keep(600);
  await connect();
  expect(fake.authorizations).toHaveLength(0);
  expect(fake.certificates).toMatchObject([{ proof: { kind: "service_token" } }]);
  expect(readdirSync(environment.QF_CONFIG_DIR ?? "")).not.toContain("logins");
});

test("nobody is asked anything where that was ruled out", async () => {
  const { fake, connect } = aPerson();
  const error = (await connect({ interactive: false }).catch((reason: unknown) => reason)) as QfError;
  expect(error.code).toBe("ERR_LOGIN_REQUIRED");
  expect(fake.authorizations).toHaveLength(0);
});

test("a damaged kept login is reported by name, and a new one is made", async () => {
  const { said, connect, keep } = aPerson();
  const session = await keep(600);
  await connect();
  const folder = session.folder.loginsPath;
  const [name = ""] = readdirSync(folder);
  writeFileSync(join(folder, name), "not json");
  await connect();
  expect(said.join("\n")).toContain(`the state file ${join(folder, name)} is damaged`);
});

test("twenty connections at once with a kept login use one key each with its own token", async () => {
  const { fake, connect, keep } = aPerson();
  await keep(600);
  await connect();
  const credentials = await Promise.all(Array.from({ length: 20 }, () => connect()));
  expect(new Set(credentials.map(({ loginKey }) => loginKey.publicKey)).size).toBe(1);
  expect(fake.authorizations).toHaveLength(1);
});

test("the machine's TTL counts while its agent runs, and its agent vouches for the device", async () => {
  const state = tempFolder();
  const socket = join(state, "control.sock");
  const machinePeerId = newId();
  const asked: unknown[] = [];
  const agent = createServer((connection) => {
    connection.on("data", (line: Buffer) => {
      asked.push(JSON.parse(line.toString()));
      const vouch = { machinePeerId, uid: 0, timeSeconds: 1, signature: "s".repeat(86) };
      connection.end(`${JSON.stringify({ ok: true, vouch })}\n`);
    });
  });
  agents.push(agent);
  await new Promise<void>((resolve) => agent.listen(socket, resolve));
  const { fake, connect } = aPerson({ QF_AGENT_STATE_DIR: state });
  const tell = (bootId: string) =>
    writeFileSync(
      join(state, "public/client.json"),
      JSON.stringify({ managementUrl: fake.url, ttlSeconds: 600, controlSocket: socket, bootId }),
    );
  mkdirSync(join(state, "public"));
  tell(newId());
  await connect();
  await connect();
  expect(fake.authorizations).toHaveLength(1);
  expect(fake.registrations[0]?.vouch).toMatchObject({ machinePeerId, uid: 0 });
  expect(asked).toEqual([{ do: "vouch", deviceKey: fake.registrations[0]?.deviceKey }]);
  tell(newId());
  await connect();
  expect(fake.authorizations).toHaveLength(2);
});

test("a control socket that does not answer sensibly keeps nobody from signing in", async () => {
  const state = tempFolder();
  mkdirSync(join(state, "public"));
  const { fake, connect } = aPerson({ QF_AGENT_STATE_DIR: state });
  const file = { managementUrl: fake.url, ttlSeconds: 0, controlSocket: join(state, "nobody.sock") };
  writeFileSync(join(state, "public/client.json"), JSON.stringify(file));
  await connect();
  expect(fake.registrations[0]?.vouch).toBeUndefined();
});

test("revoke ends the login at management by its key", async () => {
  const { fake, keep } = aPerson();
  const session = await keep(600);
  const login = await session.login();
  await session.revoke(login);
  expect(fake.loggedOut).toEqual([login.loginKey.publicKey]);
});

test.each(["a/b", "-x", "a -b", "*", "a\u200bb"])("%p is no OS user", async (localUser) => {
  const { connect, fake } = aPerson();
  const error = (await connect({ localUser }).catch((reason: unknown) => reason)) as QfError;
  expect(error.code).toBe("ERR_USAGE");
  expect(fake.authorizations).toHaveLength(0);
});
