import { expect, test } from "bun:test";
import { makeEd25519HostKey, makeHostKeys, publicHostKey } from "../../../src/agent/state/host-keys.ts";

test("a machine has an Ed25519 and a P-256 key", () => {
  const blobs = makeHostKeys().keys.map(({ pem }) => Buffer.from(publicHostKey(pem) ?? "", "base64"));
  expect(blobs.map((blob) => blob.subarray(4, 4 + blob.readUInt32BE(0)).toString())).toEqual([
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
  ]);
});

// One Ed25519 key in 256 begins with a zero byte, which ssh2 drops.
test("every Ed25519 host key that is made reads", () => {
  const blobs = Array.from({ length: 2_000 }, () => publicHostKey(makeEd25519HostKey()));
  expect(blobs.filter((blob) => blob === undefined)).toEqual([]);
  expect(new Set(blobs).size).toBe(2_000);
});

test("what is no key has no public part", () => {
  expect(publicHostKey("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n")).toBeUndefined();
});
