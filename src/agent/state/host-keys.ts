/**
 * The host keys of a machine: made once, and read the way ssh2 will read them.
 *
 * @module
 */
import ssh2 from "ssh2";
import { AssertionError } from "../../base/assert.ts";
import type { HostKeyFile } from "../../wire/agent-state-file.ts";

/** Chance of one failure is 1 in 256. */
const TRIES_MAX = 32;

/** New host keys, every one of which reads. */
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

/** Public part of a private key as SSH has it, in base64. Undefined: it does not read. */
export function publicHostKey(pem: string): string | undefined {
  const key = ssh2.utils.parseKey(pem);
  return key instanceof Error || Array.isArray(key) ? undefined : key.getPublicSSH().toString("base64");
}

/**
 * An Ed25519 host key, in OpenSSH's format. ssh2 writes a public key that begins with a zero byte without
 * that byte; nobody reads such a one, so it is not taken.
 */
export function makeEd25519HostKey(): string {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const { private: pem } = ssh2.utils.generateKeyPairSync("ed25519");
    if (publicHostKey(pem) !== undefined) return pem;
  }
  throw new AssertionError("one key in 256 fails, not all");
}
