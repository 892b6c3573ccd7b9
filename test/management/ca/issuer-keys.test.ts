import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isQfError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { fetchIssuerKeys } from "../../../src/identity/issuer-document.ts";
import { createStrictFetch } from "../../../src/identity/strict-fetch.ts";
import { createIssuerKeys } from "../../../src/management/ca/issuer-keys.ts";
import { openStore, type Store } from "../../../src/management/db/store.ts";
import { insertAccount } from "../../../src/management/db/tables/accounts.ts";
import { anAccountRow } from "../../support/account-row.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { type StaticIssuer, startStaticIssuer } from "../../support/static-issuer.ts";

const account = anAccountRow();
const folder = mkdtempSync(join(tmpdir(), "qf-test-"));
const clock = new FakeClock();
let issuer: StaticIssuer;
let store: Store;

beforeAll(async () => {
  issuer = await startStaticIssuer();
  await issuer.addKey("one");
  mkdirSync(join(folder, "data"), { mode: 0o700 });
  store = openStore({ dataDir: join(folder, "data"), clock, log: silentLog, create: true });
  await store.transaction((tx) => insertAccount(tx, account));
});

afterAll(async () => {
  await store.close();
  await issuer.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("keys are fetched when none are stored, then found without asking", async () => {
  const keys = createIssuerKeys({ store, clock, log: silentLog, issuer: issuer.url, fetch });
  const kids = async () => (await keys.keysOf(account.id)).map((key) => key.kid);
  expect(await kids()).toEqual(["one"]);
  expect(await kids()).toEqual(["one"]);
  expect(issuer.fetches()).toBe(1);
});

test("a new key is found at an unknown kid, at most once a minute, and changes maps", async () => {
  const keys = createIssuerKeys({ store, clock, log: silentLog, issuer: issuer.url, fetch });
  const changes: number[] = [];
  const stop = store.onChange((_account, version) => changes.push(version));
  const before = issuer.fetches();
  expect(await keys.refreshForUnknownKey("client")).toBe(false);
  await issuer.addKey("two");
  issuer.hideKey("one");
  expect(await keys.refreshForUnknownKey("client")).toBe(false);
  expect(issuer.fetches() - before).toBe(1);
  clock.advanceMs(61_000);
  const all = await Promise.all([1, 2, 3].map(() => keys.refreshForUnknownKey("client")));
  expect(all).toEqual([true, true, true]);
  expect(issuer.fetches() - before).toBe(2);
  expect(changes).toHaveLength(1);
  expect((await keys.keysOf(account.id)).map((key) => key.kid)).toEqual(["one", "two"]);
  stop();
});

test("an old key goes once no kept login can need it", async () => {
  const keys = createIssuerKeys({ store, clock, log: silentLog, issuer: issuer.url, fetch });
  clock.advanceMs(43_200_000);
  await keys.refreshForUnknownKey("client");
  expect((await keys.keysOf(account.id)).map((key) => key.kid)).toEqual(["one", "two"]);
  clock.advanceMs(86_400_000);
  await keys.refreshForUnknownKey("client");
  expect((await keys.keysOf(account.id)).map((key) => key.kid)).toEqual(["two"]);
});

test.each([
  {
    name: "calls itself something else",
    answers: { "/.well-known/openid-configuration": { issuer: "https://other.example" } },
  },
  { name: "has no keys that we can use", answers: { "/jwks": { keys: [{ kty: "oct", k: "AA" }] } } },
  {
    name: "publishes a private key only",
    answers: { "/jwks": { keys: [{ kty: "RSA", n: "AA", e: "AQAB", d: "x" }] } },
  },
  { name: "answers with no JSON", answers: { "/jwks": "no" } },
])("a provider that $name is refused", async ({ answers }) => {
  const server: Bun.Server<undefined> = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request): Response {
      const own = `http://127.0.0.1:${server.port}`;
      const path = new URL(request.url).pathname;
      const document = {
        issuer: own,
        authorization_endpoint: `${own}/a`,
        token_endpoint: `${own}/t`,
        jwks_uri: `${own}/jwks`,
      };
      const answer = (answers as Record<string, unknown>)[path] ?? document;
      return typeof answer === "string"
        ? new Response(answer)
        : Response.json({ ...document, ...(answer as object) });
    },
  });
  const error = await fetchIssuerKeys(`http://127.0.0.1:${server.port}`, fetch).catch((thrown) => thrown);
  await server.stop(true);
  expect(isQfError(error, "ERR_UNAVAILABLE")).toBe(true);
});

test("strict fetch follows no redirect, reads no endless answer, and never leaves TLS", async () => {
  const server: Bun.Server<undefined> = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) =>
      new URL(request.url).pathname === "/away"
        ? Response.redirect("http://127.0.0.1:1/")
        : new Response(new Uint8Array(600 * 1024)),
  });
  const strict = createStrictFetch(fetch);
  const own = `http://127.0.0.1:${server.port}`;
  for (const url of [`${own}/away`, `${own}/large`, "http://idp.example.com/", "file:///etc/passwd"]) {
    const error = await strict(url).catch((thrown) => thrown);
    expect(isQfError(error, "ERR_UNAVAILABLE")).toBe(true);
  }
  await server.stop(true);
});
