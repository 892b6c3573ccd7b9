/** Management's own token in a certificate: it holds for what it names and for nothing else. */
import { expect, test } from "bun:test";
import { sign } from "node:crypto";
import type { ServerContext } from "../../../src/agent/contracts/server-context.ts";
import { proveUser } from "../../../src/agent/ssh-server/proof.ts";
import type { Proof } from "../../../src/agent/ssh-server/proof-outcome.ts";
import { generateEd25519, sshBlobOfEd25519 } from "../../../src/base/ed25519.ts";
import { issueCertificate } from "../../../src/certificate/issue.ts";
import { type ManagementTokenOrder, signManagementToken } from "../../../src/identity/management-token.ts";
import { nonceOf } from "../../../src/identity/verify.ts";
import { prepareSnapshot } from "../../../src/policy/decide/snapshot.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { aMap, anId } from "../../support/policy.ts";
import { AUDIENCE, aToken, aTrustedIssuer, ISSUER, managementTokenJwk } from "../../support/tokens.ts";

const ca = generateEd25519();
const signing = generateEd25519();
const loginKey = generateEd25519();
const clock = new FakeClock();
const nowSeconds = Math.floor(clock.nowMs() / 1000);
const caBlob = sshBlobOfEd25519(ca.publicKey).toString("base64");
const map = aMap({
  change: {
    cas: { [anId("ca")]: { id: anId("ca"), publicKey: caBlob } },
    managementKeys: [managementTokenJwk("m1", signing.publicKey)],
  },
});
const snapshot = prepareSnapshot(map);

const WORLD = {
  clock,
  snapshot: () => snapshot,
  pinned: () => null,
  refreshPinned: async () => {},
  offlineLogins: () => "off" as const,
};

/** A certificate of a service login in order, with a token that differs from it by `change`. */
async function prove(change: Partial<ManagementTokenOrder>): Promise<Proof> {
  const identity = {
    issuer: "qufabric:service",
    subject: anId("ci"),
    userId: anId("ci"),
    devicePeerId: anId("laptop"),
    authTimeSeconds: nowSeconds,
    binding: "service" as const,
    mapVersion: 1,
  };
  const token = await signManagementToken({
    signingKey: { kid: "m1", key: signing },
    origin: map.origin,
    userId: identity.userId,
    targetPeerId: map.self.peerId,
    loginKey: loginKey.publicKey,
    binding: identity.binding,
    nowSeconds,
    ...change,
  });
  const keyBlob = issueCertificate({
    caKey: ca,
    serial: 1n,
    keyId: "ci",
    loginKey: loginKey.publicKey,
    principals: ["deploy"],
    targetPeerId: map.self.peerId,
    identity,
    idToken: token,
    nowSeconds,
  });
  const signedData = Buffer.from("session id and request");
  return proveUser(WORLD, {
    localUser: "deploy",
    keyBlob,
    signature: sign(null, signedData, loginKey.privateKeyObject),
    signedData,
    sourcePeerId: anId("laptop"),
  });
}

test("a certificate and a token that say the same prove a service user", async () => {
  expect(await prove({})).toMatchObject({ kind: "proven", who: { userId: anId("ci"), binding: "service" } });
});

test.each<[what: string, change: Partial<ManagementTokenOrder>]>([
  ["of another user", { userId: anId("mallory") }],
  ["of another kind of login", { binding: "ca" }],
  ["for another machine", { targetPeerId: anId("web2") }],
  ["for another login key", { loginKey: generateEd25519().publicKey }],
  ["of another management", { origin: "https://other.example.com" }],
  ["by another key", { signingKey: { kid: "m1", key: generateEd25519() } }],
  ["by a key that nobody knows", { signingKey: { kid: "m2", key: signing } }],
  ["of ten minutes ago", { nowSeconds: nowSeconds - 600 }],
])("a token %s is refused", async (_what, change) => {
  expect(await prove(change)).toMatchObject({ kind: "refused", identity: { userId: anId("ci") } });
});

/** A person's certificate in order, for a token of the provider's, but for `bent`. */
async function provePerson(bent: {
  readonly issuer?: string;
  readonly token?: string | null;
  readonly sourcePeerId?: string;
  readonly pinned?: ReturnType<ServerContext["pinned"]>;
  refresh?(): void;
}): Promise<Proof> {
  const nonce = nonceOf(sshBlobOfEd25519(loginKey.publicKey));
  const claims = { nonce, iat: nowSeconds - 10, exp: nowSeconds + 600, auth_time: nowSeconds - 20 };
  const { issuer = ISSUER, token = aToken({ claims }), sourcePeerId = anId("laptop") } = bent;
  const { pinned = null, refresh = () => {} } = bent;
  const identity = {
    ...{ issuer, subject: "anna-1", userId: anId("anna"), devicePeerId: anId("laptop") },
    ...{ authTimeSeconds: nowSeconds, binding: "idp" as const, mapVersion: 1 },
  };
  const keyBlob = issueCertificate({
    ...{ caKey: ca, serial: 1n, keyId: "anna", loginKey: loginKey.publicKey, principals: ["deploy"] },
    ...{ targetPeerId: map.self.peerId, identity, idToken: token, nowSeconds },
  });
  const signedData = Buffer.from("session id and request");
  const signature = sign(null, signedData, loginKey.privateKeyObject);
  const issuers = [aTrustedIssuer(), { ...aTrustedIssuer(), issuer: "https://other.example.com" }];
  const known = prepareSnapshot({ ...map, issuers });
  let keys = pinned;
  const refreshPinned = async (): Promise<void> => {
    refresh();
    if (keys !== null) keys = { ...keys, keys: aTrustedIssuer().keys };
  };
  const world = { ...WORLD, snapshot: () => known, pinned: () => keys, refreshPinned };
  return proveUser(world, { localUser: "deploy", keyBlob, signature, signedData, sourcePeerId });
}

const PINNED = { issuer: ISSUER, audiences: [AUDIENCE], keys: aTrustedIssuer().keys };

test("a person is proven by the provider's token, and by keys that a pinned issuer has just taken", async () => {
  const proven = { kind: "proven", who: { userId: anId("anna"), binding: "idp" } };
  expect(await provePerson({})).toMatchObject(proven);
  expect(await provePerson({ pinned: PINNED })).toMatchObject(proven);
  let refreshed = 0;
  const refresh = () => void refreshed++;
  expect(await provePerson({ pinned: { ...PINNED, keys: [] }, refresh })).toMatchObject(proven);
  expect(refreshed).toBe(1);
});

test.each<[what: string, bent: Parameters<typeof provePerson>[0], reason: string]>([
  ["another issuer that is trusted as well", { issuer: "https://other.example.com" }, "token_invalid"],
  ["another issuer than is pinned", { pinned: { ...PINNED, issuer: "x" } }, "binding_not_accepted"],
  ["no token, where the issuer is pinned", { token: null, pinned: PINNED }, "binding_not_accepted"],
  ["another device's hello", { sourcePeerId: anId("tablet") }, "device_unknown"],
])("a person with %s is not proven", async (_what, bent, reason) => {
  expect(await provePerson(bent)).toMatchObject({ kind: "refused", reason });
});

test("where the account keeps tokens from machines, management's word stands for them", async () => {
  expect(await provePerson({ token: null })).toMatchObject({ kind: "proven" });
});
