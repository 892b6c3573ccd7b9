/** Proofs without a connection: a device key, and a person's approval; each with its nearest denials. */
import { expect, test } from "bun:test";
import { sign } from "node:crypto";
import { ConnectionState } from "../../../src/agent/ssh-server/connection-state.ts";
import { proveApproved, provePeer } from "../../../src/agent/ssh-server/proof.ts";
import { generateEd25519, sshBlobOfEd25519 } from "../../../src/base/ed25519.ts";
import { silentLog } from "../../../src/base/log.ts";
import { prepareSnapshot } from "../../../src/policy/decide/snapshot.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { aMap, anId, aPeer } from "../../support/policy.ts";

const deviceKey = generateEd25519();
const other = generateEd25519();
const snapshot = prepareSnapshot(
  aMap({ peers: [aPeer("laptop", [], { deviceKey: deviceKey.publicKey }), aPeer("tablet", [])] }),
);
const WORLD = {
  clock: new FakeClock(),
  snapshot: () => snapshot,
  pinned: () => null,
  refreshPinned: async () => {},
  offlineLogins: () => "off" as const,
};
const signedData = Buffer.from("session id and request");
const good = {
  localUser: "deploy",
  keyBlob: sshBlobOfEd25519(deviceKey.publicKey),
  signature: sign(null, signedData, deviceKey.privateKeyObject),
  signedData,
  sourcePeerId: anId("laptop") as string | null,
};

test("a device key proves the peer of the hello", () => {
  expect(provePeer(WORLD, good)).toMatchObject({ kind: "proven", who: { peerId: anId("laptop") } });
});

test.each<[name: string, bent: Partial<typeof good>]>([
  [
    "another key that has signed",
    {
      keyBlob: sshBlobOfEd25519(other.publicKey),
      signature: sign(null, signedData, other.privateKeyObject),
    },
  ],
  ["another key beside the device's signature", { keyBlob: sshBlobOfEd25519(other.publicKey) }],
  ["another key's signature", { signature: sign(null, signedData, other.privateKeyObject) }],
  ["a signature over something else", { signedData: Buffer.from("another session") }],
  ["another device's hello", { sourcePeerId: anId("tablet") }],
  ["no hello", { sourcePeerId: null }],
  ["a hello of nobody", { sourcePeerId: anId("nobody") }],
  ["a local user that is no name", { localUser: "a b\n" }],
])("%s proves no peer", (_name, bent) => {
  expect(provePeer(WORLD, { ...good, ...bent })).toEqual({ kind: "unproven", reason: "device_unknown" });
});

const approved = {
  ...{ userId: anId("alice"), issuer: "https://idp.example.com", subject: "alice", authTimeSeconds: 1 },
  ...{ loginId: "l".repeat(43), mapVersion: 3, refusal: null },
};

test("an approval is management's word, of no device", () => {
  const who = { userId: anId("alice"), binding: "ca", devicePeerId: null };
  expect(proveApproved(approved)).toMatchObject({ kind: "proven", who, mapVersion: 3 });
});

test.each<[by: "intercept" | "socks", interceptedBy: string | undefined]>([
  ["intercept", anId("bastion")],
  ["socks", undefined],
])("an approval on a stream by %s is of the machine %s", (by, interceptedBy) => {
  const proof = proveApproved(approved, { by, localUser: "ada", peerId: anId("bastion") });
  const who = proof.kind === "proven" && proof.who.kind === "user" ? proof.who : null;
  expect([who?.interceptedBy, who?.devicePeerId]).toEqual([interceptedBy, null]);
});

test.each(["user_blocked", "user_pending", "login_revoked"] as const)(
  "an approval of somebody whom management refuses for %s proves nobody",
  (refusal) => {
    expect(proveApproved({ ...approved, refusal })).toMatchObject({ kind: "refused", reason: refusal });
  },
);

test("a connection is over when it ends and stays so when its stream is gone", () => {
  const state = new ConnectionState("c", silentLog);
  expect(state.isOver).toBe(false);
  state.take("end");
  expect(state.isOver).toBe(true);
  state.take("gone");
  expect(state.isOver).toBe(true);
});
