import { expect, test } from "bun:test";
import { issueCertificate } from "../../src/certificate/issue.ts";
import { aCertificateOrder, identity, loginKey, NOW } from "../support/certificates.ts";

test("issueCertificate never makes the same certificate twice", () => {
  expect(issueCertificate(aCertificateOrder()).equals(issueCertificate(aCertificateOrder()))).toBe(false);
});

test.each([
  ["no principals", { principals: [] }],
  ["any OS user beside others", { principals: ["*", "deploy"] }],
  ["a principal with a comma", { principals: ["deploy,root"] }],
  ["257 principals", { principals: Array.from({ length: 257 }, (_, i) => `u${i}`) }],
  ["a target that is no peer id", { targetPeerId: "web-1" }],
  ["a token that is none", { idToken: "x" }],
  ["a token of 20,481 bytes", { idToken: `a.b.${"c".repeat(20_477)}` }],
  ["a login key of another length", { loginKey: loginKey.publicKey.slice(1) }],
  ["an identity without subject", { identity: { ...identity, subject: "" } }],
  ["a key id that is too long", { keyId: "k".repeat(513) }],
  ["a time before 1970", { nowSeconds: 0 }],
  ["a serial above 64 bits", { serial: 1n << 64n }],
])("issueCertificate refuses to make one with %s", (_, changes) => {
  expect(() => issueCertificate(aCertificateOrder(changes))).toThrow();
});

test("issueCertificate has room for the longest token beside 256 principals", () => {
  const principals = Array.from({ length: 256 }, (_, i) => `${"a".repeat(60)}${String(i).padStart(4, "0")}`);
  const idToken = `a.b.${"c".repeat(20_476)}`;
  expect(issueCertificate(aCertificateOrder({ principals, idToken, nowSeconds: NOW })).length).toBeLessThan(
    49_152,
  );
});
