/**
 * Somebody without an account, with as many addresses as they like: begins sign-ins by the thousand, denies
 * them, and guesses passwords. Nobody else is kept from signing in by any of it.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { count } from "drizzle-orm";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import { newId, sha256 } from "../../src/base/random.ts";
import { createApprovals } from "../../src/management/login/approval.ts";
import type { LoginDeps } from "../../src/management/login/deps.ts";
import type { HostedLoginResponse } from "../../src/wire/hosted-login-api.ts";
import { type BrowserPage, createBrowser, textOfId } from "../support/browser.ts";
import { aPeerOf } from "../support/management.ts";
import { ADA, startTestManagement, type TestManagement } from "../support/running-management.ts";
import { openSignedClient, walkForms } from "../support/signed-client.ts";
import { tempFolder } from "../support/temp-folder.ts";

let management: TestManagement;

beforeAll(async () => {
  management = await startTestManagement(tempFolder(), { behindProxy: true });
  await management.addPerson(ADA);
});
afterAll(() => management.close());

const at = (address: string) => ({ "x-forwarded-for": address });

async function open(address: string): Promise<Response> {
  const asked = { deviceName: "laptop", target: "", localUser: "", fresh: true };
  const body = JSON.stringify({ ...asked, loginKey: generateEd25519().publicKey });
  const headers = { ...at(address), "content-type": "application/json" };
  return fetch(`${management.url}/client/v1/hosted`, { method: "POST", headers, body });
}

/** Status of each of `addresses` that opens a sign-in, some at once. */
async function openAll(addresses: readonly string[]): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < addresses.length; i += 50) {
    const some = addresses.slice(i, i + 50);
    statuses.push(...(await Promise.all(some.map(async (address) => (await open(address)).status))));
  }
  return statuses;
}

async function rows(): Promise<number> {
  return management.context.store.read(async (tx) => {
    const [row] = await tx.sql.select({ rows: count() }).from(tx.t.hostedLogins);
    return row?.rows ?? 0;
  });
}

/** Opens the hosted sign-in and goes through its pages. */
async function signIn(address: string, browser = createBrowser({ headers: at(address) })) {
  const client = await openSignedClient(management.url, { headers: at(address) });
  const opened = await client.api.openHosted({
    loginKey: client.loginKey.publicKey,
    deviceName: "laptop",
    target: "",
    localUser: "",
    fresh: true,
  });
  const page = await walkForms(browser, await browser.open(opened.url), ADA);
  const code = textOfId(page, "code");
  const answer = await client.api.claimHosted(opened.id, {
    pollSecret: opened.pollSecret,
    ...(code === undefined ? {} : { code }),
  });
  return { page, answer: answer.status, browser };
}

test("5,050 sign-ins that are only begun, from 101 networks, keep nothing and take nobody's room", async () => {
  const networks = Array.from({ length: 101 }, (_, i) => `2001:db8:${i.toString(16)}::`);
  const addresses = networks.flatMap((network) =>
    Array.from({ length: 50 }, (_, i) => `${network}${i.toString(16)}`),
  );
  expect(new Set(await openAll(addresses))).toEqual(new Set([200]));
  expect(await rows()).toBe(0);
  expect((await signIn("203.0.113.9")).answer).toBe("approved");
  const peer = await aPeerOf(management.context.store, management.accountId, { name: "web1" });
  const approvals = createApprovals({ ctx: management.context } as LoginDeps);
  const asked = { requestId: newId(), connectionId: newId(), sessionIdHash: sha256(newId()) };
  const machine = { accountId: management.accountId, peerId: peer.id };
  const source = { sourceAddress: "203.0.113.9", localUser: "deploy" };
  const opened = await approvals.open(machine, { type: "approval_open", ...asked, ...source });
  expect((await createBrowser().open(opened.url)).status).toBe(200);
}, 120_000);

test.each([
  ["/64", (i: number) => `2001:db9:1:1::${i.toString(16)}`, 50],
  ["/56", (i: number) => `2001:db9:2:${i.toString(16)}::1`, 100],
  ["/48", (i: number) => `2001:db9:3:${(i * 256).toString(16)}::1`, 200],
])("of one %s only so many are opened in a minute", async (_name, addressOf, want) => {
  const statuses = await openAll(Array.from({ length: 220 }, (_, i) => addressOf(i)));
  expect(statuses.filter((status) => status === 200)).toHaveLength(want);
  expect(new Set(statuses.slice(want))).toEqual(new Set([429]));
  expect((await open("2001:db9:4::1")).status).toBe(200);
});

test("denials of one source are written down up to a bound, those of others go on", async () => {
  const before = await rows();
  const deny = async (address: string): Promise<BrowserPage> => {
    const { url } = (await (await open(address)).json()) as HostedLoginResponse;
    const browser = createBrowser({ headers: at(address) });
    return browser.submit(await browser.open(url), {}, "deny");
  };
  for (let i = 0; i < 25; i++) expect((await deny("198.51.100.7")).text).toContain("Denied");
  expect((await rows()) - before).toBe(20);
  for (let i = 0; i < 90; i++) await deny(`2001:db9:5:${(i * 256).toString(16)}::1`);
  expect((await rows()) - before).toBe(100);
  await deny("198.51.100.8");
  expect((await rows()) - before).toBe(101);
}, 60_000);

test("a ticket that was altered, cut, or made elsewhere is no sign-in", async () => {
  const { url, id } = (await (await open("192.0.2.1")).json()) as HostedLoginResponse;
  const flipped = `${id.slice(0, 30)}${id[30] === "A" ? "B" : "A"}${id.slice(31)}`;
  for (const ticket of [flipped, id.slice(0, -2), `${id}AA`, "A".repeat(200), "a".repeat(20)]) {
    expect((await createBrowser().open(url.replace(id, ticket))).status).toBe(404);
  }
  expect((await createBrowser().open(url)).status).toBe(200);
});

test("guessing a password shuts neither its person out, nor the browser that knows them", async () => {
  const known = (await signIn("198.51.100.1")).browser;
  // Ten wrong ones from the very address where Ada sits, and some from elsewhere.
  for (const [address, tries] of [
    ["198.51.100.1", 10],
    ["198.51.100.2", 1],
  ] as const) {
    const browser = createBrowser({ headers: at(address) });
    const { url } = (await (await open(address)).json()) as HostedLoginResponse;
    const form = await browser.submit(await browser.open(url), {}, "confirm");
    for (let i = 0; i < tries; i++) await browser.submit(form, { email: ADA.email, password: `guess ${i}` });
  }
  const stranger = await signIn("198.51.100.1");
  expect([stranger.page.status, stranger.answer]).toEqual([429, "waiting"]);
  expect((await signIn("198.51.100.1", known)).answer).toBe("approved");
  expect((await signIn("203.0.113.77")).answer).toBe("approved");
}, 30_000);
