/** Management's own token in a certificate: it holds for what it names and for nothing else. */
import { expect, test } from "bun:test";
import { sign } from "node:crypto";
import { proveUser } from "../../../src/agent/ssh-server/proof.ts";
import type { Proof } from "../../../src/agent/ssh-server/proof-outcome.ts";
import { generateEd25519, sshBlobOfEd25519 } from "../../../src/base/ed25519.ts";
import { issueCertificate } from "../../../src/certificate/issue.ts";
import {
  type ManagementTokenOrder,
  managementTokenJwk,
  signManagementToken,
} from "../../../src/identity/management-token.ts";
import { prepareSnapshot } from "../../../src/policy/decide/snapshot.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { aMap, anId } from "../../support/policy.ts";

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
