/**
 * The host keys of a machine: made once, and checked for what ssh2 can read.
 *
 * @module
 */
import ssh2 from "ssh2";
import { AssertionError } from "../../base/assert.ts";
import type { HostKeyFile } from "../../wire/agent-state-file.ts";

/** A single try fails with probability 1/256. */
const TRIES_MAX = 32;

/** Makes new host keys and checks that each can be read. */
export function makeHostKeys(): HostKeyFile {
  const ecdsa = ssh2.utils.generateKeyPairSync("ecdsa", { bits: 256 });
  return {
    format: 1,
    keys: [
      { type: "ssh-ed25519", pem: makeEd25519HostKey() },
      { type: "ecdsa-sha2-nistp256", pem: ecdsa.private },
    ],
  };
}

/** The public key of a private key in SSH's format, base64. Undefined: it cannot be read. */
export function publicHostKey(pem: string): string | undefined {
  const key = ssh2.utils.parseKey(pem);
  return key instanceof Error || Array.isArray(key) ? undefined : key.getPublicSSH().toString("base64");
}

/**
 * Makes an Ed25519 host key in OpenSSH's format. ssh2 drops the first byte of a public key if it is zero, and
 * nothing can read the result, so such a key is discarded.
 */
export function makeEd25519HostKey(): string {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const { private: pem } = ssh2.utils.generateKeyPairSync("ed25519");
    if (publicHostKey(pem) !== undefined) return pem;
  }
  throw new AssertionError("one key in 256 fails, not all");
}
