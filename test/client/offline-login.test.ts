/** What a client does when management is away, and that nothing but its absence leads there. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import type { QfError } from "../../src/base/errors.ts";
import { newId } from "../../src/base/random.ts";
import { createClientApi, ManagementAwayError } from "../../src/client/client-api.ts";
import { openClientSession } from "../../src/client/client-session.ts";
import { type CredentialOptions, obtainCertificate } from "../../src/client/credential.ts";
import { openKnownTargets } from "../../src/client/known-targets.ts";
import type { OfflineCertificates } from "../../src/client/offline-login.ts";
import { identity } from "../support/certificates.ts";
import { type FakeManagement, startFakeManagement } from "../support/fake-management.ts";
import { tempFolder } from "../support/temp-folder.ts";

type Order = Parameters<OfflineCertificates["sign"]>[0];

let fake: FakeManagement;
let folder: string;
let orders: Order[];
/** What is in the certificates that management makes; null: the account keeps ID tokens from machines. */
let shown: "id_token" | null;

beforeEach(() => {
  fake = startFakeManagement();
  fake.target = { ...fake.target, name: "web1.qf.internal", direct: ["127.0.0.1:22022"], hostKeys: ["AAAA"] };
  folder = join(tempFolder(), "config");
  orders = [];
  shown = "id_token";
});
afterEach(() => fake.close());

const certificates: OfflineCertificates = {
  parse: () => {
    const proof = fake.certificates.at(-1)?.proof;
    const idToken = proof?.kind === "id_token" && shown !== null ? proof.idToken : "a.b.c";
    return { identity, idToken };
  },
  sign: (order) => {
    orders.push(order);
    return Buffer.from("signed");
  },
};

const environment = () => ({
  QF_CONFIG_DIR: folder,
  QF_AGENT_STATE_DIR: join(folder, "none"),
  QF_MANAGEMENT_URL: fake.url,
  BROWSER: "true",
});
const terminal = {
  say: (line: string) => {
    if (line.startsWith("http")) void fake.visit(line);
  },
  canAsk: () => false,
  ask: () => Promise.reject(new Error("nobody is there")),
};

function connect(change: Partial<CredentialOptions> = {}) {
  const options = { target: "Web1", localUser: "deploy", environment: environment(), terminal };
  return obtainCertificate({ ...options, offline: async () => certificates, ...change });
}

async function keep(ttlSeconds = 600): Promise<void> {
  const session = await openClientSession({ environment: environment(), terminal });
  await session.folder.updateConfig((config) => ({ ...config, ttlSeconds }));
}

async function failure(change: Partial<CredentialOptions> = {}): Promise<QfError> {
  return (await connect(change).catch((error: unknown) => error)) as QfError;
}

test.each(["web1", "WEB1.qf.internal", "100.64.0.9"])(
  "a kept login signs for %s, which it has reached before",
  async (name) => {
    await keep();
    const online = await connect();
    fake.close();
    const offline = await connect({ target: name });
    expect(offline).toMatchObject({ isOffline: true, isLoginKept: true, scope: online.scope });
    expect(offline.loginKey.publicKey).toBe(online.loginKey.publicKey);
    expect(offline.target).toMatchObject({ hostKeys: ["AAAA"], direct: ["127.0.0.1:22022"] });
    expect(orders).toMatchObject([{ targetPeerId: fake.target.peerId, identity, scope: online.scope }]);
  },
);

test("what is known follows what management says", async () => {
  await keep();
  await connect();
  fake.target = { ...fake.target, direct: ["127.0.0.1:22023"] };
  await connect();
  fake.close();
  expect((await connect()).target.direct).toEqual(["127.0.0.1:22023"]);
});

test.each<[what: string, hint: RegExp, before: () => Promise<unknown>, target: string]>([
  ["a TTL of 0", /a login kept with qf login --ssh-jwt-cache-ttl can do without$/, () => connect(), "web1"],
  [
    "no login at all",
    /a login kept with qf login --ssh-jwt-cache-ttl can do without$/,
    async () => {},
    "web1",
  ],
  [
    "a login that management holds",
    /only management can vouch for/,
    async () => {
      fake.binding = "ca";
      await keep();
      await connect();
    },
    "web1",
  ],
  [
    "an account that keeps tokens from machines",
    /has not reached that machine/,
    async () => {
      shown = null;
      await keep();
      await connect();
    },
    "web1",
  ],
  [
    "a machine without an address",
    /has no address/,
    async () => {
      fake.target = { ...fake.target, direct: [] };
      await keep();
      await connect();
    },
    "web1",
  ],
  ["another machine", /has not reached that machine/, async () => keep().then(() => connect()), "web2"],
  [
    "another login than the one that was there",
    /has not reached that machine/,
    async () => {
      await keep();
      await connect();
      const session = await openClientSession({ environment: environment(), terminal });
      await session.login({ fresh: true });
    },
    "web1",
  ],
])(
  "with %s there is no way without management, and one line says why",
  async (_what, hint, before, target) => {
    await before();
    fake.close();
    const error = await failure({ target });
    expect(error).toBeInstanceOf(Error);
    expect(error.message).toMatch(/^cannot reach management at .*: connection refused$/);
    expect(error.hint).toMatch(hint);
    expect(orders).toEqual([]);
  },
);

test("a caller that knows no way without management hears that it is away", async () => {
  await keep();
  await connect();
  fake.close();
  const error = (await obtainCertificate({
    target: "web1",
    localUser: "",
    environment: environment(),
    terminal,
  }).catch((cause: unknown) => cause)) as QfError;
  expect(error.hint).toBe("check the URL and that the server runs");
});

test.each([
  ["ERR_FORBIDDEN", 403],
  ["ERR_TOO_MANY", 429],
  ["ERR_INTERNAL", 500],
  ["ERR_UNAVAILABLE", 503],
])("management that answers %s is not away", async (code, status) => {
  await keep();
  await connect();
  fake.answers.push({ failure: code, status });
  expect(await failure()).not.toBeInstanceOf(ManagementAwayError);
  expect(orders).toEqual([]);
});

const failing = (cause: Error & { code?: unknown }): typeof fetch =>
  Object.assign(() => Promise.reject(cause), { preconnect: fetch.preconnect });

test.each([
  ["ECONNREFUSED", true],
  ["ENETUNREACH", true],
  ["EHOSTUNREACH", true],
  ["EAI_AGAIN", true],
  ["ECONNRESET", true],
  ["SELF_SIGNED_CERT_IN_CHAIN", false],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", false],
  ["ERR_TLS_CERT_ALTNAME_INVALID", false],
  ["UnexpectedRedirect", false],
  ["something else", false],
])("a request that fails with %s says that management is away: %p", async (code, isAway) => {
  await keep();
  await connect();
  const answer = failing(Object.assign(new Error("failed"), { code }));
  const result = await connect({ fetch: answer }).catch((error: unknown) => error);
  expect(result instanceof Error).toBe(!isAway);
  expect(orders).toHaveLength(isAway ? 1 : 0);
});

test.each([502, 503, 504])("a proxy that answers %d for it says so too, and 404 does not", async (status) => {
  await keep();
  await connect();
  const proxy = (code: number) =>
    Object.assign(async () => new Response("<html>", { status: code }), { preconnect: fetch.preconnect });
  expect(await connect({ fetch: proxy(status) })).toMatchObject({ isOffline: true });
  expect(await failure({ fetch: proxy(404) })).toMatchObject({ code: "ERR_UNAVAILABLE" });
});

test("a login that management refused does not come back when it goes away right after", async () => {
  await keep();
  await connect();
  const api = createClientApi({ url: fake.url });
  const refuse: typeof fetch = Object.assign(
    async (input: string | URL | Request, init?: RequestInit) => {
      const answer = await fetch(input, init);
      if (!String(input).endsWith("/certificates")) return answer;
      fake.close();
      const body = { code: 401, message: "this login is over", error: "ERR_TOKEN_INVALID" };
      return Response.json(body, { status: 401 });
    },
    { preconnect: fetch.preconnect },
  );
  expect(await failure({ fetch: refuse })).toMatchObject({ code: "ERR_UNAVAILABLE" });
  expect(orders).toEqual([]);
  expect(api.origin).toBe(fake.url);
});

test("without a kept login nothing is remembered", async () => {
  await connect();
  expect(readdirSync(folder)).not.toContain("targets");
});

test("a machine that was not asked for in a month is not known, and what cannot be read is not there", async () => {
  const path = tempFolder();
  const at = Math.floor(systemClock.nowMs() / 1000);
  const entry = { origin: fake.url, loginId: identity.userId, target: fake.target, identity };
  const known = openKnownTargets(path);
  await known.remember({ ...entry, atSeconds: at });
  expect((await known.find(fake.url, "web1", at + 86_400))?.loginId).toBe(identity.userId);
  expect(await known.find(fake.url, "web1", at + 31 * 86_400)).toBeUndefined();
  expect(await known.find("https://other.example.com", "web1", at)).toBeUndefined();
  expect(await known.isNews({ ...entry, atSeconds: at + 100 })).toBe(false);
  expect(await known.isNews({ ...entry, atSeconds: at + 90_000 })).toBe(true);
  expect(await known.isNews({ ...entry, target: { ...fake.target, connected: false }, atSeconds: at })).toBe(
    false,
  );
  const [name = ""] = readdirSync(join(path, "targets"));
  await Bun.write(join(path, "targets", name), "not json");
  expect(await known.find(fake.url, "web1", at)).toBeUndefined();
});

test("of each machine the last word is kept, and of machines the last ones", async () => {
  const path = tempFolder();
  const at = Math.floor(systemClock.nowMs() / 1000);
  const known = openKnownTargets(path);
  const entry = { origin: fake.url, loginId: identity.userId, target: fake.target, identity, atSeconds: at };
  for (const direct of [["127.0.0.1:1"], ["127.0.0.1:2"], ["127.0.0.1:3"]]) {
    await known.remember({ ...entry, target: { ...fake.target, direct } });
  }
  expect(readdirSync(join(path, "targets"))).toHaveLength(1);
  expect((await known.find(fake.url, "web1", at))?.target.direct).toEqual(["127.0.0.1:3"]);
  for (let i = 0; i < 520; i++) {
    writeFileSync(join(path, "targets", `${i}.old.json`), "");
    utimesSync(join(path, "targets", `${i}.old.json`), at - 1_000 + i, at - 1_000 + i);
  }
  await known.remember({ ...entry, target: { ...fake.target, peerId: newId(), name: "web2.qf.internal" } });
  expect(readdirSync(join(path, "targets"))).toHaveLength(512);
  expect(await known.find(fake.url, "web1", at)).toBeDefined();
  expect(await known.find(fake.url, "web2", at)).toBeDefined();
});
