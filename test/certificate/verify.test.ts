import { expect, test } from "bun:test";
import fc from "fast-check";
import { generateEd25519, signEd25519, sshBlobOfEd25519 } from "../../src/base/ed25519.ts";
import { sha256 } from "../../src/base/random.ts";
import { SshWriter } from "../../src/base/ssh-buffer.ts";
import { issueCertificate } from "../../src/certificate/issue.ts";
import {
  type CertificateQuestion,
  isPlausible,
  tryParse,
  verifyCertificate,
  verifyUserSignature,
} from "../../src/certificate/verify.ts";
import {
  aCertificateOrder,
  aCertificateQuestion,
  ca,
  caBlob,
  DEVICE,
  identity,
  loginKey,
  NOW,
  OTHER_MACHINE,
  options,
  rawCertificate,
  SOME_JWS,
} from "../support/certificates.ts";

const blob = issueCertificate(aCertificateOrder());
const otherCa = generateEd25519();

test("verifyCertificate hands out who, with which token and which key", () => {
  const verdict = verifyCertificate(aCertificateQuestion(blob));
  const loginKeyBlob = sshBlobOfEd25519(loginKey.publicKey);
  expect(verdict).toMatchObject({ ok: true, identity, idToken: SOME_JWS, loginKeyBlob });
  expect(verdict).toMatchObject({ loginId: sha256(loginKeyBlob) });
});

test.each<[string, Partial<CertificateQuestion>]>([
  ["the second principal", { localUser: "postgres" }],
  ["no hello", { sourcePeerId: null }],
  ["the first tolerated second", { nowSeconds: NOW - 90 }],
  ["the last tolerated second", { nowSeconds: NOW + 179 }],
  ["its CA among several", { cas: [{ id: "ca000000000000000001", publicKey: caBlob(otherCa) }, ca] }],
])("verifyCertificate accepts %s", (_, changes) => {
  expect(outcome(blob, changes)).toBe("ok");
});

// Every row differs from an accepted question in one respect.
test.each<[string, Partial<CertificateQuestion>, string]>([
  ["a second too early", { nowSeconds: NOW - 91 }, "clock_skew"],
  ["a second too late", { nowSeconds: NOW + 180 }, "certificate_expired"],
  ["another machine", { selfPeerId: OTHER_MACHINE }, "wrong_target"],
  ["another device in the hello", { sourcePeerId: OTHER_MACHINE }, "device_unknown"],
  ["an OS user it does not name", { localUser: "root" }, "local_user_not_authorized"],
  ["an OS user in other case", { localUser: "Deploy" }, "local_user_not_authorized"],
  ["the beginning of a name", { localUser: "deplo" }, "local_user_not_authorized"],
  ["a name with more after it", { localUser: "deploy1" }, "local_user_not_authorized"],
  ["a list of names", { localUser: "deploy,postgres" }, "local_user_not_authorized"],
  ["an empty name", { localUser: "" }, "local_user_not_authorized"],
  ["no CA in force", { cas: [] }, "certificate_invalid"],
  ["another CA in force", { cas: [{ id: ca.id, publicKey: caBlob(otherCa) }] }, "certificate_invalid"],
])("verifyCertificate refuses %s", (_, changes, reason) => {
  expect(outcome(blob, changes)).toBe(reason);
});

test.each([
  ["deploy", "ok"],
  ["root", "ok"],
  ["*", "local_user_not_authorized"],
  ["", "local_user_not_authorized"],
  ["deploy,root", "local_user_not_authorized"],
  ["-l", "local_user_not_authorized"],
  ["a -b", "local_user_not_authorized"],
  ["root\0", "local_user_not_authorized"],
  ["..", "local_user_not_authorized"],
])("verifyCertificate with any OS user answers %p with %s", (localUser, want) => {
  const any = issueCertificate(aCertificateOrder({ principals: ["*"] }));
  expect(outcome(any, { localUser })).toBe(want);
});

test.each([
  ["signed by another key under the CA's name", () => rawCertificate(withCaBlob(), otherCa)],
  ["signed by the login key itself", () => rawCertificate({}, loginKey)],
  ["with a nested certificate as signing key", () => rawCertificate({ caBlob: blob })],
  [
    "with a nested certificate of the attacker's key, signed by that key",
    () => rawCertificate({ caBlob: nestedFor(otherCa.publicKey) }, otherCa),
  ],
  ["with an unknown critical option", () => rawCertificate({ critical: options(["verify-required", ""]) })],
  ["that is a host certificate", () => rawCertificate({ type: 2 })],
])("verifyCertificate refuses a certificate %s", (_, make) => {
  expect(outcome(make(), {})).toBe("certificate_invalid");
});

test("verifyCertificate says nothing of its fields before the CA's signature is good", () => {
  const forged = rawCertificate({ ...withCaBlob(), validAfter: 100n, validBefore: 200n }, otherCa);
  expect(outcome(forged, { selfPeerId: OTHER_MACHINE })).toBe("certificate_invalid");
});

test("verifyCertificate refuses a certificate with any one byte changed, at every place", () => {
  for (let at = 0; at < blob.length; at++) {
    const changed = Buffer.from(blob);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    expect(outcome(changed, {})).toBe("certificate_invalid");
  }
});

test("verifyCertificate refuses a certificate with any byte replaced, put in or taken out", () => {
  const place = fc.integer({ min: 0, max: blob.length - 1 });
  const change = fc.constantFrom("replace", "insert", "remove");
  fc.assert(
    fc.property(place, fc.integer({ min: 1, max: 255 }), change, (at, difference, how) => {
      const byte = ((blob[at] ?? 0) + difference) % 256;
      const middle = how === "replace" ? [byte] : how === "insert" ? [byte, blob[at] ?? 0] : [];
      const changed = Buffer.concat([blob.subarray(0, at), Buffer.from(middle), blob.subarray(at + 1)]);
      expect(outcome(changed, {})).toBe("certificate_invalid");
    }),
    { numRuns: 1500 },
  );
});

test("isPlausible looks at form and CA only", () => {
  const unsigned = Buffer.from(blob);
  unsigned[unsigned.length - 1] = (unsigned.at(-1) ?? 0) ^ 1;
  expect(isPlausible(blob, [ca])).toBe(true);
  expect(isPlausible(unsigned, [ca])).toBe(true);
  expect(isPlausible(rawCertificate({ validAfter: 100n, validBefore: 200n }), [ca])).toBe(true);
  expect(isPlausible(blob, [])).toBe(false);
  expect(isPlausible(blob, [{ id: ca.id, publicKey: caBlob(otherCa) }])).toBe(false);
  expect(isPlausible(blob.subarray(1), [ca])).toBe(false);
  expect(isPlausible(sshBlobOfEd25519(loginKey.publicKey), [ca])).toBe(false);
  expect(isPlausible(rawCertificate({ caBlob: blob }), [ca])).toBe(false);
});

const data = Buffer.from("session id and the request");
const raw = Buffer.from(signEd25519(loginKey, data), "base64url");
const header = (type: string) => new SshWriter().text(type);

test.each([
  ["with OpenSSH's header", header("ssh-ed25519").string(raw).toBuffer(), true],
  ["bare, as ssh2 hands it on", raw, true],
  ["under the certificate's type", header("ssh-ed25519-cert-v01@openssh.com").string(raw).toBuffer(), false],
  ["under another type", header("ssh-rsa").string(raw).toBuffer(), false],
  ["under an empty type", header("").string(raw).toBuffer(), false],
  ["with bytes after it", header("ssh-ed25519").string(raw).uint8(0).toBuffer(), false],
  [
    "with bytes inside after it",
    header("ssh-ed25519")
      .string(Buffer.concat([raw, Buffer.alloc(1)]))
      .toBuffer(),
    false,
  ],
  ["with its header cut", header("ssh-ed25519").string(raw).toBuffer().subarray(1), false],
  ["with a byte less", raw.subarray(1), false],
  ["with a byte more", Buffer.concat([raw, Buffer.alloc(1)]), false],
  ["that is empty", Buffer.alloc(0), false],
  ["of zeros", Buffer.alloc(64), false],
  ["by another key", Buffer.from(signEd25519(otherCa, data), "base64url"), false],
  ["of other data", Buffer.from(signEd25519(loginKey, Buffer.from("x")), "base64url"), false],
  ["whose scalar has the group order added", addGroupOrder(raw), false],
])("verifyUserSignature judges a signature %s", (_, signature, want) => {
  expect(verifyUserSignature({ loginKey: loginKey.publicKey, data, signature })).toBe(want);
});

test("verifyUserSignature refuses a signature with any bit flipped, and never throws for an odd key", () => {
  for (let bit = 0; bit < 512; bit++) {
    const signature = Buffer.from(raw);
    signature[bit >> 3] = (signature[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(verifyUserSignature({ loginKey: loginKey.publicKey, data, signature })).toBe(false);
  }
  for (const odd of ["", "AA", "_".repeat(43), "A".repeat(44)]) {
    expect(verifyUserSignature({ loginKey: odd, data, signature: raw })).toBe(false);
  }
});

function outcome(certificate: Uint8Array, changes: Partial<CertificateQuestion>): string {
  const verdict = verifyCertificate(aCertificateQuestion(certificate, { sourcePeerId: DEVICE, ...changes }));
  return verdict.ok ? "ok" : verdict.reason;
}

function withCaBlob() {
  return { caBlob: Buffer.from(ca.publicKey, "base64") };
}

/** The real CA's certificate over `publicKey`: Teleport's CVE-2025-49825 took such a one as a CA. */
function nestedFor(publicKey: string): Buffer {
  return issueCertificate(aCertificateOrder({ loginKey: publicKey, principals: ["*"] }));
}

/** S + L verifies as S does where malleability is not checked (RFC 8032 section 5.1.7). */
function addGroupOrder(signature: Buffer): Buffer {
  const order = (1n << 252n) + 27742317777372353535851937790883648493n;
  const scalar = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString("hex")}`) + order;
  const sum = Buffer.from(scalar.toString(16).padStart(64, "0"), "hex").reverse();
  return Buffer.concat([signature.subarray(0, 32), sum]);
}

test("bytes that were read once are read again when they have changed, wherever they are", () => {
  const other = issueCertificate(aCertificateOrder({ serial: 77n }));
  const moving = Buffer.from(blob);
  expect([tryParse(other)?.serial, tryParse(moving)?.serial]).toEqual([77n, 42n]);
  // The network's buffers are used again.
  moving.fill(0);
  expect(tryParse(moving)).toBeUndefined();
  expect(outcome(blob, {})).toBe("ok");
});
