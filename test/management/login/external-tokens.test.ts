/** Tokens of an issuer that is not ours: keys that change, tokens without a nonce, groups by claim. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sshBlobOfEd25519 } from "../../../src/base/ed25519.ts";
import { isQfError } from "../../../src/base/errors.ts";
import { nonceOf } from "../../../src/identity/verify.ts";
import { findUser } from "../../../src/management/db/tables/users.ts";
import { sentenceOf } from "../../../src/policy/sentences.ts";
import type { LoginProof } from "../../../src/wire/client-api.ts";
import { startTestManagement, type TestManagement } from "../../support/running-management.ts";
import { openSignedClient, type SignedClient } from "../../support/signed-client.ts";
import { type StaticIssuer, startStaticIssuer } from "../../support/static-issuer.ts";

const folder = mkdtempSync(join(tmpdir(), "qf-test-"));
let issuer: StaticIssuer;
let management: TestManagement;

beforeAll(async () => {
  issuer = await startStaticIssuer();
  await issuer.addKey("one");
  management = await startTestManagement(join(folder, "data"), {
    oidc: { issuer: issuer.url, clientId: "qf", groupsClaim: "teams" },
  });
});

afterAll(async () => {
  await management.close();
  await issuer.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "no error",
    (error: unknown) => (isQfError(error) ? error.code : String(error)),
  );
}

const proofOf = (idToken: string): LoginProof => ({ kind: "id_token", idToken });
const nonceFor = (client: SignedClient) => nonceOf(sshBlobOfEd25519(client.loginKey.publicKey));

async function register(claims: Record<string, unknown>, header = {}) {
  const client = await openSignedClient(management.url);
  return client.register(proofOf(await issuer.sign({ nonce: nonceFor(client), ...claims }, header)));
}

/** Ids of groups, made where they are not there yet. */
async function groupsNamed(...names: string[]): Promise<Record<string, string>> {
  for (const name of names) madeGroups[name] ??= await management.addGroup(name);
  return Object.fromEntries(names.map((name) => [name, madeGroups[name] ?? ""]));
}
const madeGroups: Record<string, string> = {};

test("a first sign-in makes a user without groups, by subject and never by e-mail", async () => {
  const first = await register({ sub: "corp|a", email: "owner@example.com", name: "An  <i>Other</i>\u202e" });
  expect(first.user.id).not.toBe(management.ownerId);
  expect(first.user.name).toBe("An <i>Other</i>");
  const second = await register({ sub: "corp|a", email: "changed@example.com" });
  expect(second.user.id).toBe(first.user.id);
  const third = await register({ sub: "corp|b", email: "owner@example.com" });
  expect(third.user.id).not.toBe(first.user.id);
});

test("a first sign-in waits for approval where the account says so", async () => {
  await management.changeSettings({ pending_approval: true });
  const message = await register({ sub: "corp|waiting" }).catch((error: Error) => error.message);
  await management.changeSettings({});
  expect(message).toBe(sentenceOf("user_pending").sentence);
});

test("groups follow the claim, those of ours that it names and no other", async () => {
  const devs = await management.addGroup("developers");
  const ops = await management.addGroup("operators");
  const groupsOf = async (userId: string) =>
    (await management.context.store.read((tx) => findUser(tx, management.accountId, userId)))?.autoGroups;
  const { user } = await register({ sub: "corp|g", teams: ["developers", "operators", "All", "nowhere"] });
  expect(await groupsOf(user.id)).toEqual([devs, ops]);
  await register({ sub: "corp|g", teams: "operators" });
  expect(await groupsOf(user.id)).toEqual([ops]);
  await register({ sub: "corp|g", teams: [] });
  expect(await groupsOf(user.id)).toEqual([]);
  const events = (await management.events()).filter(({ target_id }) => target_id === user.id);
  const changes = events.filter(({ activity_code: code }) => code.startsWith("user.group."));
  expect(
    changes.map(({ activity_code, meta }) => [activity_code.split(".").at(-1), meta.group, meta.by]),
  ).toEqual([
    ["add", "developers", "identity provider"],
    ["add", "operators", "identity provider"],
    ["delete", "developers", "identity provider"],
    ["delete", "operators", "identity provider"],
  ]);
});

test.each<[what: string, claims: Record<string, unknown>]>([
  ["leaves the claim out", {}],
  ["sends null for it", { teams: null }],
  ["sends something else than names", { teams: true }],
  ["sends another claim of nearly its name", { Teams: ["once"], "teams ": ["once"] }],
])("a provider that %s leaves a person in no group", async (what, claims) => {
  const ids = await groupsNamed("once");
  const groupsOf = async (userId: string) =>
    (await management.context.store.read((tx) => findUser(tx, management.accountId, userId)))?.autoGroups;
  const sub = `corp|once, ${what}`;
  const { user } = await register({ sub, teams: ["once"] });
  expect(await groupsOf(user.id)).toEqual([ids.once ?? ""]);
  await register({ sub, ...claims });
  expect(await groupsOf(user.id)).toEqual([]);
});

test("every group of the account that the claim names counts, and more than fit are a sentence", async () => {
  const groups = new Map<string, string>();
  for (let i = 0; i < 1_024; i++) groups.set(`t${i}`, await management.addGroup(`t${i}`));
  const names = [...groups.keys()];
  const { user } = await register({ sub: "corp|many", teams: names.slice(0, 302) });
  const row = await management.context.store.read((tx) => findUser(tx, management.accountId, user.id));
  expect(new Set(row?.autoGroups)).toEqual(new Set([...groups.values()].slice(0, 302)));
  expect(await codeOf(register({ sub: "corp|many", teams: names }))).toBe("ERR_LOGIN_FAILED");
});

test.each<[what: string, teams: unknown, want: string[]]>([
  ["a text with commas", "claimed-a,claimed-b", ["claimed-a", "claimed-b"]],
  ["keys of an object", { "claimed-a": { "1": "org" }, "claimed-b": null }, ["claimed-a"]],
  ["paths from the root", ["/claimed-b"], ["claimed-b"]],
  ["a list with what is no name", [7, "claimed-a", { name: "claimed-b" }], ["claimed-a"]],
  ["a number", 7, []],
])("groups are read from %s", async (what, teams, want) => {
  const ids = await groupsNamed("claimed-a", "claimed-b");
  const { user } = await register({ sub: `corp|${what}`, teams });
  const row = await management.context.store.read((tx) => findUser(tx, management.accountId, user.id));
  expect(row?.autoGroups).toEqual(want.map((name) => ids[name] ?? ""));
});

test("a token from before a later sign-in brings back no group", async () => {
  const [ops = ""] = Object.values(await groupsNamed("claimed-ops"));
  const groupsOf = async (userId: string) =>
    (await management.context.store.read((tx) => findUser(tx, management.accountId, userId)))?.autoGroups;
  const { user } = await register({ sub: "corp|older", teams: ["claimed-ops"] });
  expect(await groupsOf(user.id)).toEqual([ops]);
  await register({ sub: "corp|older", teams: [] });
  const iat = Math.floor(Date.now() / 1000) - 120;
  await register({ sub: "corp|older", teams: ["claimed-ops"], iat, exp: iat + 600 });
  expect(await groupsOf(user.id)).toEqual([]);
  await register({ sub: "corp|older", teams: ["claimed-ops"] });
  expect(await groupsOf(user.id)).toEqual([ops]);
});

test("a person whose groups the provider keeps elsewhere is refused, and stays in none by that", async () => {
  const [ops = ""] = Object.values(await groupsNamed("claimed-ops"));
  const claims = { sub: "corp|overage", teams: undefined, _claim_names: { teams: "src1" } };
  expect(await codeOf(register(claims))).toBe("ERR_LOGIN_FAILED");
  const { user } = await register({ sub: "corp|overage", teams: ["claimed-ops"] });
  expect(await codeOf(register(claims))).toBe("ERR_LOGIN_FAILED");
  const row = await management.context.store.read((tx) => findUser(tx, management.accountId, user.id));
  expect(row?.autoGroups).toEqual([ops]);
});

/**
 * The same bytes: of the last character of 64 only two bits count. Another signature would be a token with an
 * unknown key, for which the provider's keys are fetched anew once they are a minute old.
 */
function respelled(idToken: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return idToken.replace(/.$/, (last) => alphabet[alphabet.indexOf(last) | 1] ?? "");
}

test("a token without a nonce is claimed once, for one login key and device, and never leaves", async () => {
  const client = await openSignedClient(management.url);
  const idToken = await issuer.sign({ sub: "corp|ca" });
  const registered = await client.register(proofOf(idToken));
  expect(registered.binding).toBe("ca");
  const thief = await openSignedClient(management.url);
  expect(await codeOf(thief.register(proofOf(idToken)))).toBe("ERR_TOKEN_INVALID");
  // The same token under a signature that is written otherwise is the same token.
  expect(await codeOf(thief.register(proofOf(respelled(idToken))))).toBe("ERR_TOKEN_INVALID");
  const claimed: LoginProof = { kind: "claimed", loginId: registered.loginId };
  expect((await client.register(claimed)).peerId).toBe(registered.peerId);
  expect(await codeOf(thief.register(claimed))).toBe("ERR_LOGIN_REQUIRED");
  const order = { devicePeerId: registered.peerId, target: "nowhere" };
  expect((await client.mint({ ...order, proof: claimed })).outcome).toBe("denied");
  expect(await codeOf(client.mint({ ...order, proof: proofOf(idToken) }))).toBe("ERR_TOKEN_INVALID");
  const codes = (await management.events()).map((event) => event.activity_code);
  expect(codes).toContain("token.claim");
  expect(codes).toContain("token.claim.refused");
});

test("a login stays what it was made from: no other token of the same nonce stands for it", async () => {
  const client = await openSignedClient(management.url);
  const now = Math.floor(Date.now() / 1000);
  const token = (claims: Record<string, unknown>) =>
    issuer.sign({ nonce: nonceFor(client), sub: "corp|same", iat: now, exp: now + 600, ...claims });
  const first = await token({});
  const { peerId } = await client.register(proofOf(first));
  const order = { devicePeerId: peerId, target: "nowhere" };
  expect((await client.mint({ ...order, proof: proofOf(first) })).outcome).toBe("denied");
  for (const other of [{ sub: "corp|else" }, { iat: now - 1 }]) {
    const proof = proofOf(await token(other));
    expect(await codeOf(client.mint({ ...order, proof }))).toBe("ERR_TOKEN_INVALID");
    expect(await codeOf(client.register(proof))).toBe("ERR_TOKEN_INVALID");
  }
});

test("a token without a nonce is claimed by one of many at once", async () => {
  const idToken = await issuer.sign({ sub: "corp|race" });
  const clients = await Promise.all(Array.from({ length: 12 }, () => openSignedClient(management.url)));
  const results = await Promise.allSettled(clients.map((client) => client.register(proofOf(idToken))));
  expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
});

test.each([
  { name: "of another nonce", claims: { nonce: "x".repeat(43) }, code: "ERR_TOKEN_INVALID" },
  { name: "for another audience", claims: { aud: "other" }, code: "ERR_TOKEN_INVALID" },
  { name: "of another issuer", claims: { iss: "https://evil.example" }, code: "ERR_TOKEN_INVALID" },
  { name: "for several without azp", claims: { aud: ["qf", "other"] }, code: "ERR_TOKEN_INVALID" },
  { name: "without a subject", claims: { sub: "" }, code: "ERR_TOKEN_INVALID" },
  {
    name: "that has expired",
    claims: { iat: 1_000_000_000, exp: 1_000_000_600 },
    code: "ERR_LOGIN_REQUIRED",
  },
])("refuses a token $name", async ({ claims, code }) => {
  expect(await codeOf(register(claims))).toBe(code);
});

test("refuses a token of another type", async () => {
  expect(await codeOf(register({}, { typ: "at+jwt" }))).toBe("ERR_TOKEN_INVALID");
  expect(await codeOf(register({}, { typ: "qufabric-login+jwt" }))).toBe("ERR_TOKEN_INVALID");
});

test("asks the provider for a key nobody knows once a minute, and keeps the old ones", async () => {
  const before = issuer.fetches();
  for (let i = 0; i < 5; i++) {
    expect(await codeOf(register({}, { kid: `made-up-${i}` }))).toBe("ERR_TOKEN_INVALID");
  }
  expect(issuer.fetches() - before).toBeLessThanOrEqual(1);
  const keys = await management.context.keys.issuers(management.accountId);
  expect(keys[0]?.keys.map((key) => key.kid)).toEqual(["one"]);
  expect(JSON.stringify(keys)).not.toContain("c2VjcmV0");
});
