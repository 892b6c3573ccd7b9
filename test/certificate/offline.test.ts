/** Certificates that a login key signs for itself: each row is one step from one that is taken. */
import { describe, expect, test } from "bun:test";
import { generateEd25519, signEd25519, sshBlobOfEd25519 } from "../../src/base/ed25519.ts";
import { sha256 } from "../../src/base/random.ts";
import { type CertificateOrder, issueCertificate } from "../../src/certificate/issue.ts";
import {
  isSelfSigned,
  issueOfflineCertificate,
  type OfflineOrder,
  type OfflineQuestion,
  verifyOfflineCertificate,
} from "../../src/certificate/offline.ts";
import { signedBytes } from "../../src/wire/signed-fields.ts";
import {
  aCertificateOrder,
  DEVICE,
  identity,
  loginKey,
  MACHINE,
  NOW,
  OTHER_MACHINE,
  SOME_JWS,
} from "../support/certificates.ts";

const scope = { accountId: "account0000000000000", origin: "https://qf.example.com" };
const deviceKey = generateEd25519();
const otherKey = generateEd25519();

const order: OfflineOrder = {
  scope,
  loginKey,
  deviceKey,
  targetPeerId: MACHINE,
  identity,
  idToken: SOME_JWS,
  nowSeconds: NOW,
};

function outcome(blob: Uint8Array, changes: Partial<OfflineQuestion> = {}): string {
  const verdict = verifyOfflineCertificate({
    blob,
    scope,
    nowSeconds: NOW,
    selfPeerId: MACHINE,
    sourcePeerId: DEVICE,
    deviceKeyOf: (id) => (id === DEVICE ? deviceKey.publicKey : undefined),
    ...changes,
  });
  return verdict.ok ? "ok" : verdict.reason;
}

/** What the device of a good certificate signs, but for `changes`. */
function deviceSignature(changes: Record<string, string | number> = {}): string {
  const fields = {
    loginKey: loginKey.publicKey,
    devicePeerId: DEVICE,
    target: MACHINE,
    tokenHash: sha256(SOME_JWS),
    validAfterSeconds: NOW - 30,
    validBeforeSeconds: NOW + 120,
  };
  return signEd25519(deviceKey, signedBytes("offline-login", scope, { ...fields, ...changes }));
}

/** As `issueOfflineCertificate` makes it, with any field changed and signed by the login key all the same. */
function certificateWith(changes: Partial<CertificateOrder> = {}): Buffer {
  const made = { caKey: loginKey, principals: ["*"], deviceSignature: deviceSignature() };
  return issueCertificate(aCertificateOrder({ ...made, ...changes }));
}

describe("verifyOfflineCertificate", () => {
  test("hands out who says to come, with which token and which key", () => {
    const verdict = verifyOfflineCertificate({
      blob: issueOfflineCertificate(order),
      scope,
      nowSeconds: NOW,
      selfPeerId: MACHINE,
      sourcePeerId: DEVICE,
      deviceKeyOf: () => deviceKey.publicKey,
    });
    const loginKeyBlob = sshBlobOfEd25519(loginKey.publicKey);
    const loginId = sha256(loginKeyBlob);
    expect(verdict).toMatchObject({ ok: true, idToken: SOME_JWS, loginKeyBlob, loginId });
    expect(verdict.ok && verdict.certificate.identity).toEqual(identity);
  });

  test("takes one without a hello, by the device that signed it", () => {
    expect(outcome(certificateWith(), { sourcePeerId: null })).toBe("ok");
  });

  test.each<[string, Partial<OfflineOrder>, Partial<OfflineQuestion>, string]>([
    ["another machine", {}, { selfPeerId: OTHER_MACHINE }, "wrong_target"],
    ["another device in the hello", {}, { sourcePeerId: OTHER_MACHINE }, "device_unknown"],
    ["a second too late", {}, { nowSeconds: NOW + 180 }, "certificate_expired"],
    ["a second too early", {}, { nowSeconds: NOW - 91 }, "clock_skew"],
    ["a device that is not in the map", {}, { deviceKeyOf: () => undefined }, "device_unknown"],
    ["another device's signature", { deviceKey: otherKey }, {}, "device_unknown"],
    ["another account", { scope: { ...scope, accountId: "account0000000000001" } }, {}, "device_unknown"],
    ["another management", { scope: { ...scope, origin: "https://b.example.com" } }, {}, "device_unknown"],
    ["binding ca", { identity: { ...identity, binding: "ca" } }, {}, "binding_not_accepted"],
    ["binding service", { identity: { ...identity, binding: "service" } }, {}, "binding_not_accepted"],
  ])("refuses %s", (_name, changes, question, want) => {
    expect(outcome(issueOfflineCertificate(order))).toBe("ok");
    expect(outcome(issueOfflineCertificate({ ...order, ...changes }), question)).toBe(want);
  });

  test.each<[string, Partial<CertificateOrder>, string]>([
    ["signed by another key than it certifies", { caKey: otherKey }, "certificate_invalid"],
    ["that names an OS user", { principals: ["root"] }, "certificate_invalid"],
    ["without a token", { idToken: null }, "binding_not_accepted"],
  ])("refuses one %s", (_name, changes, want) => {
    expect(outcome(certificateWith())).toBe("ok");
    expect(outcome(certificateWith(changes))).toBe(want);
  });

  test("refuses one without its device's signature", () => {
    const bare = aCertificateOrder({ caKey: loginKey, principals: ["*"] });
    expect(outcome(issueCertificate(bare))).toBe("device_unknown");
  });

  test("refuses one whose own signature is not good", () => {
    const blob = certificateWith();
    blob[blob.length - 1] = (blob.at(-1) ?? 0) ^ 1;
    expect(outcome(blob)).toBe("certificate_invalid");
  });

  test.each<[string, Record<string, string | number>]>([
    ["another login key", { loginKey: otherKey.publicKey }],
    ["another device", { devicePeerId: OTHER_MACHINE }],
    ["another machine", { target: OTHER_MACHINE }],
    ["another token", { tokenHash: sha256("eyJhbGciOiJFZERTQSJ9.e30.b3RoZXI") }],
    ["an earlier time", { validAfterSeconds: NOW - 60 }],
    ["a later end", { validBeforeSeconds: NOW + 3600 }],
  ])("refuses a device's signature over %s", (_name, changes) => {
    expect(outcome(certificateWith({ deviceSignature: deviceSignature(changes) }))).toBe("device_unknown");
  });
});

describe("isSelfSigned", () => {
  test("looks at the form only", () => {
    const blob = certificateWith();
    expect(isSelfSigned(blob)).toBe(true);
    const unsigned = Buffer.from(blob);
    unsigned[unsigned.length - 1] = (unsigned.at(-1) ?? 0) ^ 1;
    expect(isSelfSigned(unsigned)).toBe(true);
    expect(isSelfSigned(issueCertificate(aCertificateOrder({ principals: ["*"] })))).toBe(false);
    expect(isSelfSigned(certificateWith({ principals: ["root"] }))).toBe(false);
    expect(isSelfSigned(blob.subarray(1))).toBe(false);
    expect(isSelfSigned(sshBlobOfEd25519(loginKey.publicKey))).toBe(false);
  });
});
