/** One whole run in process: sign in, register, mint, log out, and what is refused on the way. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Ed25519Key, generateEd25519, signEd25519 } from "../../../src/base/ed25519.ts";
import { isQfError } from "../../../src/base/errors.ts";
import { newId, newSecret } from "../../../src/base/random.ts";
import { parseCertificate } from "../../../src/certificate/parse.ts";
import { verifyCertificate } from "../../../src/certificate/verify.ts";
import { insertToken, newTokenRow } from "../../../src/management/db/tables/api-tokens.ts";
import { listEvents } from "../../../src/management/db/tables/audit-events.ts";
import { listRevokedLogins } from "../../../src/management/db/tables/logins.ts";
import { findPeer, updatePeer } from "../../../src/management/db/tables/peers.ts";
import { deletePostureCheck, putPostureCheck } from "../../../src/management/db/tables/policies.ts";
import { insertUser, SERVICE_ISSUER, updateUser } from "../../../src/management/db/tables/users.ts";
import { sentenceOf } from "../../../src/policy/sentences.ts";
import type { LoginProof, RegisterResponse } from "../../../src/wire/client-api.ts";
import { signedBytes } from "../../../src/wire/signed-fields.ts";
import { ADA, startTestManagement, type TestManagement } from "../../support/running-management.ts";
import { openSignedClient, type SignedClient } from "../../support/signed-client.ts";

const folder = mkdtempSync(join(tmpdir(), "qf-test-"));
const initiator = { id: "test", name: "test", email: "" };
const now = () => Math.floor(Date.now() / 1000);
const logged: unknown[] = [];
let management: TestManagement;
let web1: string;
let web1Key = generateEd25519();
let devs: string;

beforeAll(async () => {
  const keep = (...entry: unknown[]) => void logged.push(entry);
  const log = { error: keep, warn: keep, info: keep, debug: keep };
  management = await startTestManagement(join(folder, "data"), { log });
  devs = await management.addGroup("devs");
  const machines = await management.addGroup("machines");
  await management.addPerson(ADA, [devs]);
  await management.addPerson({ email: "bob@example.com", password: "bob's password" });
  await management.addPolicy({
    sources: [devs],
    destinations: [machines],
    authorized_groups: { [devs]: ["deploy"] },
  });
  const machine = await openSignedClient(management.url);
  web1Key = machine.deviceKey;
  const setupKey = await management.addSetupKey({ autoGroups: [machines] });
  web1 = (await machine.enrol({ name: "web1", setupKey })).peerId;
});

afterAll(async () => {
  await management.close();
  rmSync(folder, { recursive: true, force: true });
});

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return isQfError(error) ? error.code : `no QfError: ${String(error)}`;
}

/** The same 32 bytes: two bits of the last character mean nothing. */
function respelled(key: Ed25519Key): Ed25519Key {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = letters.indexOf(key.publicKey.slice(-1));
  return { ...key, publicKey: key.publicKey.slice(0, -1) + letters[last + 1] };
}

interface SignedIn {
  readonly client: SignedClient;
  readonly proof: LoginProof;
  readonly registered: RegisterResponse;
}

async function signedIn(who = ADA): Promise<SignedIn> {
  const client = await openSignedClient(management.url);
  const proof = await client.signIn(who);
  return { client, proof, registered: await client.register(proof) };
}

describe("a sign-in with the embedded provider", () => {
  test("leads to a certificate that the machine's own checks accept", async () => {
    const { client, proof, registered } = await signedIn();
    expect(registered).toMatchObject({ binding: "idp", deviceStatus: "active", user: { email: ADA.email } });
    const answer = await client.mint({
      proof,
      devicePeerId: registered.peerId,
      target: "web1.qf.internal",
      localUser: "deploy",
    });
    if (answer.outcome !== "issued") throw new Error(answer.reason);
    expect(answer.principals).toEqual(["deploy"]);
    expect(parseCertificate(Buffer.from(answer.certificate, "base64")).principals).toEqual(["deploy"]);
    expect(answer.target).toMatchObject({ peerId: web1, name: "web1.qf.internal", connected: false });
    const { keys } = management.context;
    const verdict = verifyCertificate({
      blob: Buffer.from(answer.certificate, "base64"),
      cas: await keys.cas(management.accountId),
      nowSeconds: now(),
      selfPeerId: web1,
      localUser: "deploy",
      sourcePeerId: registered.peerId,
    });
    if (!verdict.ok) throw new Error(verdict.reason);
    expect(verdict.identity).toMatchObject({
      issuer: `${management.url}/idp`,
      userId: registered.user.id,
      devicePeerId: registered.peerId,
      binding: "idp",
    });
    expect(verdict.idToken).toBe(proof.kind === "id_token" ? proof.idToken : null);
    const codes = (await management.events()).map((event) => event.activity_code);
    expect(codes).toContain("login");
    expect(codes).toContain("peer.user.add");
    expect(codes.at(-1)).toBe("certificate.issue");
  });

  test("finds the device again by its key, and its target by name, id and address", async () => {
    const { client, proof, registered } = await signedIn();
    const again = await openSignedClient(management.url, { deviceKey: client.deviceKey });
    const anew = await again.register(await again.signIn(ADA));
    expect(anew.peerId).toBe(registered.peerId);
    const machine = await openSignedClient(management.url, { deviceKey: web1Key });
    const { address } = await machine.enrol({ name: "other" });
    for (const target of ["web1", web1, address]) {
      const answer = await client.mint({ proof, devicePeerId: registered.peerId, target });
      expect(answer.outcome).toBe("issued");
    }
  });

  test("is judged by where the device comes from now, not when it signed in", async () => {
    const { client, proof, registered } = await signedIn();
    const { store } = management.context;
    const options = { accountId: management.accountId, initiator, affectsMaps: true };
    const check = { id: newId(), accountId: management.accountId, name: "home", description: "" };
    const home = { ranges: ["127.0.0.0/8"], action: "allow" as const };
    const move = (connectionIp: string) =>
      store.change(options, (tx) =>
        updatePeer(tx, management.accountId, registered.peerId, { connectionIp }),
      );
    const addressNow = async () =>
      (await store.read((tx) => findPeer(tx, management.accountId, registered.peerId)))?.connectionIp;
    const mint = () => client.mint({ proof, devicePeerId: registered.peerId, target: "web1" });
    await move("203.0.113.9");
    await mint();
    expect(await addressNow()).toBe("203.0.113.9"); // Nobody asks for it, so nothing is written.
    await store.change(options, (tx) =>
      putPostureCheck(tx, {
        ...check,
        checks: { peer_network_range_check: home },
        createdAt: 0,
        updatedAt: 0,
      }),
    );
    await mint();
    expect(await addressNow()).toBe("127.0.0.1");
    await store.change(options, (tx) => deletePostureCheck(tx, management.accountId, check.id));
  });

  test("is denied with the reason, the sentence and a receipt where policy says no", async () => {
    const { client, proof, registered } = await signedIn();
    const order = { proof, devicePeerId: registered.peerId, target: "web1" };
    expect(await client.mint({ ...order, localUser: "postgres" })).toMatchObject({
      outcome: "denied",
      reason: "local_user_unmapped",
      sentence: "No authorization mapping for OS user",
    });
    const last = (await management.events()).at(-1);
    expect(last).toMatchObject({ activity_code: "certificate.refuse", target_id: web1 });
  });

  test("says the same of a machine that is not there and of one nobody may see", async () => {
    const client = await openSignedClient(management.url);
    const proof = await client.signIn({ email: "bob@example.com", password: "bob's password" });
    const { peerId } = await client.register(proof);
    const ask = async (target: string) => {
      const answer = await client.mint({ proof, devicePeerId: peerId, target, localUser: "deploy" });
      return { ...answer, receipt: "" };
    };
    const unknown = await ask("web9");
    expect(unknown).toMatchObject({
      outcome: "denied",
      reason: "peer_not_authorized",
      sentence: "User is not authorized to access this peer",
    });
    expect(await ask("web1")).toEqual(unknown);
  });

  test("refuses certificates after logout, tells machines, and keeps doing so", async () => {
    const { client, proof, registered } = await signedIn();
    const order = { proof, devicePeerId: registered.peerId, target: "web1" };
    expect((await client.mint(order)).outcome).toBe("issued");
    await client.logout();
    expect(await codeOf(client.mint(order))).toBe("ERR_LOGIN_REQUIRED");
    expect(await codeOf(client.register(proof))).toBe("ERR_LOGIN_REQUIRED");
    const map = await management.context.maps.mapOf(management.accountId, web1);
    expect(Object.keys(map?.revokedLogins ?? {})).not.toEqual([]);
    await client.logout();
  });

  test("ends no login for somebody who does not hold its key", async () => {
    const { client, proof, registered } = await signedIn();
    const { loginKey } = client;
    const { privateKeyObject } = generateEd25519();
    const thief = await openSignedClient(management.url, { loginKey: { ...loginKey, privateKeyObject } });
    expect(await codeOf(thief.logout())).toBe("ERR_UNAUTHENTICATED");
    const order = { proof, devicePeerId: registered.peerId, target: "web1" };
    expect((await client.mint(order)).outcome).toBe("issued");
  });

  test.each(["loginKey", "deviceKey"] as const)("takes no %s in another spelling", async (which) => {
    const { client, proof } = await signedIn();
    await client.logout();
    const { loginKey, deviceKey } = client;
    const bent = { loginKey, deviceKey, [which]: respelled(client[which]) };
    const other = await openSignedClient(management.url, bent);
    expect(await codeOf(other.register(proof))).toBe("ERR_UNPROCESSABLE");
  });

  test("refuses a blocked and a waiting person with the reason", async () => {
    const who = { email: "carol@example.com", password: "carol's password" };
    const user = await management.addPerson(who, [devs]);
    const { client, proof, registered } = await signedIn(who);
    const order = { proof, devicePeerId: registered.peerId, target: "web1" };
    const set = (change: { isBlocked?: boolean; pendingApproval?: boolean }) =>
      management.context.store.transaction((tx) => updateUser(tx, management.accountId, user.id, change));
    await set({ isBlocked: true });
    const refusal = await client.mint(order).catch((error: Error) => error.message);
    expect(refusal).toBe("User is blocked");
    const body = await client.registration(proof);
    const response = await fetch(`${management.url}/client/v1/devices`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(await response.json()).toMatchObject({ error: "ERR_ACCESS_DENIED", reason: "user_blocked" });
    await set({ isBlocked: false, pendingApproval: true });
    expect(await client.mint(order).catch((error: Error) => error.message)).toBe(
      sentenceOf("user_pending").sentence,
    );
  });

  test("puts its own token into the certificate where the account keeps ID tokens from machines", async () => {
    const { client, proof, registered } = await signedIn();
    await management.changeSettings({ id_token_to_machine: false });
    const answer = await client.mint({ proof, devicePeerId: registered.peerId, target: "web1" });
    await management.changeSettings({});
    if (answer.outcome !== "issued") throw new Error(answer.reason);
    expect(Buffer.from(answer.certificate, "base64").toString("latin1")).not.toContain(
      proof.kind === "id_token" ? proof.idToken : "",
    );
  });
});

describe("a device", () => {
  test("waits for approval where the account says so, and opens nothing", async () => {
    await management.changeSettings({ device_approval: "admin" });
    const { client, proof, registered } = await signedIn();
    await management.changeSettings({});
    expect(registered.deviceStatus).toBe("pending");
    const order = { proof, devicePeerId: registered.peerId, target: "web1", localUser: "deploy" };
    expect(await client.mint(order)).toMatchObject({ outcome: "denied", reason: "device_pending" });
  });

  test("of one person is refused to another, and so is a machine's key", async () => {
    const { client } = await signedIn();
    const bob = { email: "bob@example.com", password: "bob's password" };
    const thief = await openSignedClient(management.url, { deviceKey: client.deviceKey });
    expect(await codeOf(thief.register(await thief.signIn(bob)))).toBe("ERR_FORBIDDEN");
    const machine = await openSignedClient(management.url, { deviceKey: web1Key });
    expect(await codeOf(machine.register(await machine.signIn(ADA)))).toBe("ERR_FORBIDDEN");
    const enrol = (await openSignedClient(management.url, { deviceKey: client.deviceKey })).enrol({
      name: "x",
      setupKey: await management.addSetupKey(),
    });
    expect(await codeOf(enrol)).toBe("ERR_FORBIDDEN");
  });

  test("counts as vouched for only by a machine's own signature", async () => {
    const client = await openSignedClient(management.url);
    const proof = await client.signIn(ADA);
    const vouch = { machinePeerId: web1, uid: 1000, timeSeconds: now() };
    const bytes = signedBytes("vouch", client.scope, { deviceKey: client.deviceKey.publicKey, ...vouch });
    const forged = { ...vouch, signature: signEd25519(client.deviceKey, bytes) };
    expect(await codeOf(client.api.registerDevice(await client.registration(proof, { vouch: forged })))).toBe(
      "ERR_UNAUTHENTICATED",
    );
    const real = { ...vouch, signature: signEd25519(web1Key, bytes) };
    const registered = await client.api.registerDevice(await client.registration(proof, { vouch: real }));
    const map = await management.context.maps.mapOf(management.accountId, web1);
    expect(map?.peers[registered.peerId]?.vouchedGroups).toBeDefined();
  });
});

describe("a machine with --disable-ssh-auth", () => {
  test("is pointed at, with no certificate, for devices that a rule for peers lets in", async () => {
    const { accountId, context } = management;
    const gates = await management.addGroup("gates");
    const setupKey = await management.addSetupKey({ autoGroups: [gates] });
    const gate = (await (await openSignedClient(management.url)).enrol({ name: "gate", setupKey })).peerId;
    const flags = {
      sshServer: true,
      sshRoot: false,
      sshSftp: true,
      sshLocalForwarding: false,
      sshRemoteForwarding: false,
      sshAuth: false,
      offlineLogins: false,
      requireIdpBinding: false,
      privileged: true,
      ownUser: "root",
    };
    await context.store.transaction((tx) => updatePeer(tx, accountId, gate, { flags }));
    await management.addPolicy({ protocol: "tcp", ports: ["22"], sources: [devs], destinations: [gates] });
    const { client, proof, registered } = await signedIn();
    const order = { proof, devicePeerId: registered.peerId, target: "gate", localUser: "deploy" };
    expect(await client.mint(order)).toMatchObject({
      outcome: "issued",
      certificate: "",
      principals: [],
      target: { peerId: gate, machineIdentity: true },
    });
    expect(await client.mint({ ...order, localUser: "root" })).toMatchObject({ reason: "root_disabled" });
  });
});

describe("what is written down", () => {
  test("holds no password, token, key or code", async () => {
    const { client, proof, registered } = await signedIn();
    await client.mint({ proof, devicePeerId: registered.peerId, target: "web1" });
    await client.signIn({ ...ADA, password: "a wrong password" }).catch(() => {});
    const { accountId, context } = management;
    const rows = await context.store.read((tx) => listEvents(tx, accountId, { limit: 1000 }));
    const written = JSON.stringify(rows) + JSON.stringify(logged);
    const secrets = [ADA.password, "a wrong password", client.loginKey.seed, client.deviceKey.seed];
    if (proof.kind === "id_token") secrets.push(proof.idToken, proof.idToken.split(".")[2] ?? "");
    for (const secret of secrets) expect(written).not.toContain(secret);
    expect(rows.some((row) => row.activity === "login.failed")).toBe(true);
  });
});

describe("a proof", () => {
  test("of one login key is worth nothing with another", async () => {
    const { client, proof, registered } = await signedIn();
    const thief = await openSignedClient(management.url, { deviceKey: client.deviceKey });
    expect(await codeOf(thief.register(proof))).toBe("ERR_TOKEN_INVALID");
    const order = { proof, devicePeerId: registered.peerId, target: "web1" };
    expect(await codeOf(thief.mint(order))).toBe("ERR_TOKEN_INVALID");
  });

  test("is worth nothing without the device's key, and on another device", async () => {
    const { client, proof, registered } = await signedIn();
    const order = { proof, devicePeerId: registered.peerId, target: "web1" };
    const stolen = await openSignedClient(management.url, { loginKey: client.loginKey });
    expect(await codeOf(stolen.mint(order))).toBe("ERR_UNAUTHENTICATED");
    expect(await codeOf(stolen.register(proof))).toBe("ERR_TOKEN_INVALID");
    const other = await signedIn();
    const swapped = await openSignedClient(management.url, {
      loginKey: client.loginKey,
      deviceKey: other.client.deviceKey,
    });
    expect(await codeOf(swapped.mint({ ...order, devicePeerId: other.registered.peerId }))).toBe(
      "ERR_TOKEN_INVALID",
    );
  });

  test("registers no device whose key did not sign", async () => {
    const client = await openSignedClient(management.url);
    const proof = await client.signIn(ADA);
    const { loginSignature } = await client.registration(proof);
    for (const deviceSignature of ["A".repeat(86), loginSignature]) {
      const request = await client.registration(proof, { deviceSignature });
      expect(await codeOf(client.api.registerDevice(request))).toBe("ERR_UNAUTHENTICATED");
    }
  });

  test("with a changed signature, payload or algorithm is refused", async () => {
    const client = await openSignedClient(management.url);
    const proof = await client.signIn(ADA);
    if (proof.kind !== "id_token") throw new Error("no token");
    const [header = "", payload = "", signature = ""] = proof.idToken.split(".");
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url");
    const raised = { ...JSON.parse(Buffer.from(payload, "base64url").toString()), sub: newId() };
    for (const idToken of [
      `${none}.${payload}.${signature}`,
      `${header}.${Buffer.from(JSON.stringify(raised)).toString("base64url")}.${signature}`,
      `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
    ]) {
      expect(await codeOf(client.register({ kind: "id_token", idToken }))).toBe("ERR_TOKEN_INVALID");
    }
  });

  test("needs a challenge of ours, fresh, and used for the first time", async () => {
    const { client, proof } = await signedIn();
    const request = await client.registration(proof);
    await client.api.registerDevice(request);
    expect(await codeOf(client.api.registerDevice(request))).toBe("ERR_UNAUTHENTICATED");
    const forged = "A".repeat(43);
    const foreign = await client.registration(proof, { challenge: forged }, { challenge: forged });
    expect(await codeOf(client.api.registerDevice(foreign))).toBe("ERR_UNAUTHENTICATED");
    // A request that is refused for another reason has used its challenge up as well.
    const bad = await client.registration(proof, { loginSignature: "A".repeat(86) });
    expect(await codeOf(client.api.registerDevice(bad))).toBe("ERR_UNAUTHENTICATED");
    const { challenge } = bad;
    const retry = await client.registration(proof, { challenge }, { challenge });
    expect(await codeOf(client.api.registerDevice(retry))).toBe("ERR_UNAUTHENTICATED");
  });

  test("needs clocks that agree within a minute", async () => {
    const late = { nowMs: () => Date.now() - 90_000, monotonicMs: () => performance.now() };
    const client = await openSignedClient(management.url, { clock: late });
    const proof = await client.signIn(ADA);
    const error = await client.register(proof).catch((thrown: Error) => thrown.message);
    expect(error).toMatch(/clock is \d+ seconds behind/);
  });

  test("signed for another purpose, account or origin is refused", async () => {
    const { client, proof } = await signedIn();
    for (const scope of [
      { ...client.scope, origin: "https://other.example" },
      { ...client.scope, accountId: newId() },
    ]) {
      const request = await client.registration(proof);
      const bytes = signedBytes("register", scope, {
        challenge: request.challenge,
        loginKey: request.loginKey,
        deviceKey: request.deviceKey,
        proofHash: "x",
        timeSeconds: request.timeSeconds,
      });
      const bent = { ...request, loginSignature: signEd25519(client.loginKey, bytes) };
      expect(await codeOf(client.api.registerDevice(bent))).toBe("ERR_UNAUTHENTICATED");
    }
  });
});

describe("a service user", () => {
  async function serviceToken(scope: "api" | "ssh"): Promise<{ token: string; userId: string }> {
    const token = newSecret("qft_");
    const userId = newId();
    const { accountId, context } = management;
    await context.store.transaction(async (tx) => {
      await insertUser(tx, {
        id: userId,
        accountId,
        issuer: SERVICE_ISSUER,
        subject: userId,
        email: "",
        name: "deployer",
        role: "user",
        autoGroups: [devs],
        isServiceUser: true,
        isBlocked: false,
        pendingApproval: false,
        createdAt: now(),
        lastLoginAt: null,
      });
      const order = {
        id: newId(),
        accountId,
        userId,
        name: "ci",
        scope,
        createdBy: userId,
        createdAt: now(),
        expiresAt: now() + 600,
      };
      await insertToken(tx, newTokenRow(order, token));
    });
    return { token, userId };
  }

  test("signs in with a token of scope ssh, without a browser", async () => {
    const { token, userId } = await serviceToken("ssh");
    const client = await openSignedClient(management.url);
    const proof: LoginProof = { kind: "service_token", token };
    const registered = await client.register(proof);
    expect(registered).toMatchObject({ binding: "service", user: { id: userId } });
    await management.context.store.change(
      { accountId: management.accountId, initiator: { id: "t", name: "", email: "" }, affectsMaps: true },
      (tx) => updatePeer(tx, management.accountId, registered.peerId, { ownerApproved: true }),
    );
    const answer = await client.mint({ proof, devicePeerId: registered.peerId, target: "web1" });
    expect(answer.outcome).toBe("issued");
  });

  test("loses with a token that is deleted the logins made with it, and those of no other", async () => {
    const { userId } = await serviceToken("ssh");
    const call = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(`${management.url}/api/users/${userId}/tokens${path}`, {
        method,
        headers: { authorization: `Token ${management.token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return (await response.json()) as { plain_token: string; personal_access_token: { id: string } };
    };
    const made = await Promise.all(
      ["ci", "cron"].map((name) => call("POST", "", { name, expires_in: 1, scope: "ssh" })),
    );
    for (const { plain_token: token } of made) {
      await (await openSignedClient(management.url)).register({ kind: "service_token", token });
    }
    const [first] = made.map(({ personal_access_token }) => personal_access_token.id);
    await call("DELETE", `/${first}`);
    const ended = await management.context.store.read((tx) =>
      listRevokedLogins(tx, management.accountId, 43_200),
    );
    const ofService = ended.filter((login) => login.userId === userId);
    expect(ofService.map(({ userId, apiTokenId }) => ({ userId, apiTokenId }))).toEqual([
      { userId, apiTokenId: first ?? "" },
    ]);
  });

  test("does not with a token of scope api, and nobody does with a made-up one", async () => {
    const { token } = await serviceToken("api");
    for (const secret of [token, management.token, newSecret("qfp_")]) {
      const client = await openSignedClient(management.url);
      expect(await codeOf(client.register({ kind: "service_token", token: secret }))).toBe(
        "ERR_TOKEN_INVALID",
      );
    }
  });
});

describe("enrolment", () => {
  test("lets exactly one of a hundred in with a key of one use", async () => {
    const setupKey = await management.addSetupKey({ usageLimit: 1 });
    const clients = await Promise.all(Array.from({ length: 100 }, () => openSignedClient(management.url)));
    const results = await Promise.allSettled(
      clients.map((client) => client.enrol({ name: "one", setupKey })),
    );
    expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
  });

  test("gives a taken name a suffix, and the same machine the same peer", async () => {
    const setupKey = await management.addSetupKey();
    const first = await openSignedClient(management.url);
    const second = await openSignedClient(management.url);
    const one = await first.enrol({ name: "db", setupKey });
    expect((await second.enrol({ name: "db", setupKey })).name).toBe("db-2");
    expect((await first.enrol({ name: "renamed" })).peerId).toBe(one.peerId);
    expect((await first.enrol({ name: "db", setupKey })).peerId).toBe(one.peerId);
  });

  test("by sign-in is for owners and admins", async () => {
    const client = await openSignedClient(management.url);
    const proof = await client.signIn(ADA);
    expect(await codeOf(client.enrol({ name: "mine", proof }))).toBe("ERR_FORBIDDEN");
    const owner = await openSignedClient(management.url);
    const ownerProof = await owner.signIn({ email: "owner@example.com", password: "owner password" });
    expect((await owner.enrol({ name: "theirs", proof: ownerProof })).name).toBe("theirs");
  });

  test("refuses an unknown device key, a wrong setup key and a wrong signature", async () => {
    const client = await openSignedClient(management.url);
    expect(await codeOf(client.enrol({ name: "x" }))).toBe("ERR_NOT_ENROLLED");
    expect(await codeOf(client.enrol({ name: "x", setupKey: newSecret("qfs_") }))).toBe(
      "ERR_UNAUTHENTICATED",
    );
    const setupKey = await management.addSetupKey();
    const bent = await client.enrolment({ name: "x", setupKey }, { name: "y" });
    expect(await codeOf(client.api.enrolMachine(bent))).toBe("ERR_UNAUTHENTICATED");
  });
});

describe("the client API", () => {
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(management.url + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });

  test.each([
    { name: "what is not JSON", body: "{", status: 400 },
    { name: "a missing field", body: "{}", status: 422 },
    { name: "what is too large", body: JSON.stringify({ challenge: "x".repeat(100_000) }), status: 413 },
  ])("refuses $name in one line", async ({ body, status }) => {
    const response = await post("/client/v1/devices", body);
    expect(response.status).toBe(status);
    const answer = (await response.json()) as { message: string; error: string };
    expect(answer.error).toStartWith("ERR_");
    expect(answer.message).not.toContain("\n");
  });

  test("does not answer to another name", async () => {
    const response = await fetch(`${management.url}/client/v1/config`, { headers: { host: "evil.example" } });
    expect(response.status).toBe(421);
  });
});
