import { expect, test } from "bun:test";
import {
  ed25519FromSeed,
  ed25519PublicKeyObject,
  generateEd25519,
  signEd25519,
  sshBlobOfEd25519,
  verifyEd25519,
} from "../../src/base/ed25519.ts";

const hex = (text: string): Buffer => Buffer.from(text, "hex");
const base64url = (text: string): string => hex(text).toString("base64url");

// RFC 8032 section 7.1, TEST 1 to TEST 3.
const vectors = [
  {
    seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    message: "",
    signature:
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155" +
      "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  },
  {
    seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    message: "72",
    signature:
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  },
  {
    seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    message: "af82",
    signature:
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac" +
      "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  },
];

test.each(vectors)("the vector of RFC 8032 with message '$message' comes out", (vector) => {
  const key = ed25519FromSeed(base64url(vector.seed));
  expect(key.publicKey).toBe(base64url(vector.publicKey));
  const signature = signEd25519(key, hex(vector.message));
  expect(signature).toBe(base64url(vector.signature));
  expect(verifyEd25519(key.publicKey, hex(vector.message), signature)).toBe(true);
});

const key = generateEd25519();
const bytes = Buffer.from("signed");
const good = signEd25519(key, bytes);
const flipped = Buffer.from(good, "base64url");
flipped[10] = (flipped[10] ?? 0) ^ 1;

// Each row differs from a good signature in one thing.
test.each([
  ["of other bytes", key.publicKey, Buffer.from("Signed"), good],
  ["by another key", generateEd25519().publicKey, bytes, good],
  ["with one bit changed", key.publicKey, bytes, flipped.toString("base64url")],
  ["that is too short", key.publicKey, bytes, good.slice(0, -2)],
  ["that is too long", key.publicKey, bytes, `${good}AAAA`],
  ["that is empty", key.publicKey, bytes, ""],
  ["under a key that is too short", key.publicKey.slice(0, -2), bytes, good],
  ["under no key", "", bytes, good],
])("a signature %s does not verify, and does not throw", (_what, publicKey, signed, signature) => {
  expect(verifyEd25519(publicKey, signed, signature)).toBe(false);
  expect(verifyEd25519(key.publicKey, bytes, good)).toBe(true);
});

test("a seed leads to the same key again, and every new key is another", () => {
  expect(ed25519FromSeed(key.seed).publicKey).toBe(key.publicKey);
  expect(generateEd25519().seed).not.toBe(key.seed);
});

test.each([31, 33, 0])("neither a seed nor a public key has %d bytes", (length) => {
  const text = Buffer.alloc(length, 1).toString("base64url");
  expect(() => ed25519FromSeed(text)).toThrow(TypeError);
  expect(() => ed25519PublicKeyObject(text)).toThrow(TypeError);
});

test("the SSH blob is that of RFC 8709: the type and the key, each with its length", () => {
  const blob = sshBlobOfEd25519(key.publicKey);
  expect(blob.toString("hex")).toBe(
    `0000000b${Buffer.from("ssh-ed25519").toString("hex")}00000020${Buffer.from(key.publicKey, "base64url").toString("hex")}`,
  );
});
