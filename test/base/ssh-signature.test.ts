import { describe, expect, test } from "bun:test";
import { isSshSigned } from "../../src/base/ssh-signature.ts";
import { aReleaseKey, signatureOf } from "../support/release.ts";
import { tempFolder } from "../support/temp-folder.ts";

const folder = tempFolder();
const key = aReleaseKey(folder);
const other = aReleaseKey(folder, "other");
const text = "what is signed\n";
const good = {
  message: Buffer.from(text),
  signature: signatureOf(text, key, "file"),
  namespace: "file",
  keys: [key.publicKey],
};

/** The signature with one byte of its binary form changed. */
function damaged(at: number): string {
  const lines = good.signature.trim().split("\n");
  const bytes = Buffer.from(lines.slice(1, -1).join(""), "base64");
  bytes.writeUInt8((bytes[at] ?? 0) ^ 1, at);
  return [lines[0], bytes.toString("base64"), lines.at(-1)].join("\n");
}

describe("isSshSigned", () => {
  test("takes what ssh-keygen signed", () => {
    expect(isSshSigned(good)).toBe(true);
    expect(isSshSigned({ ...good, keys: [other.publicKey, key.publicKey] })).toBe(true);
    expect(isSshSigned({ ...good, signature: good.signature.replaceAll("\n", "\r\n") })).toBe(true);
  });

  const rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7";
  test.each([
    ["another message", { message: Buffer.from("what is not") }],
    ["another namespace", { namespace: "email" }],
    ["a signature made for another namespace", { signature: signatureOf(text, key, "email") }],
    ["a signature by another key", { signature: signatureOf(text, other, "file") }],
    ["no key", { keys: [] }],
    ["a key of another type", { keys: [rsa, "", "ssh-ed25519", "ssh-ed25519 AAAA"] }],
    ["no signature", { signature: "" }],
    ["armour without anything in it", { signature: good.signature.replace(/\n[\s\S]*\n(?=-)/, "\n") }],
    ["a signature that was cut", { signature: good.signature.replace(/.{20}\n(?=-----END)/, "\n") }],
    ["something behind it", { signature: `${good.signature}more` }],
  ])("refuses %s", (_what, change) => {
    expect(isSshSigned({ ...good, ...change })).toBe(false);
  });

  test("refuses a signature with any byte of it changed", () => {
    expect(isSshSigned({ ...good, signature: damaged(0) })).toBe(false);
    for (let at = 0; at < 174; at += 1)
      expect([at, isSshSigned({ ...good, signature: damaged(at) })]).toEqual([at, false]);
  });
});
