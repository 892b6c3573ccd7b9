/**
 * Algorithms that both ends of an SSH connection of ours agree on. Pinned: a weaker one is never offered.
 *
 * Strict key exchange (Terrapin, CVE-2023-48795) is ssh2's default and cannot be turned off. No compression:
 * it is attack surface before authentication and slower than the network after it.
 *
 * @module
 */
import type { Algorithms, KexAlgorithm } from "ssh2";

/**
 * draft-ietf-sshm-mlkem-hybrid-kex, as OpenSSH has it since 9.9: who records a session today cannot
 * read it with a quantum computer later. Our patch adds it to ssh2, whose types do not know it.
 */
const HYBRID = "mlkem768x25519-sha256" as string as KexAlgorithm;

/** In order of preference. AES-CTR comes with encrypt-then-MAC only. */
export const ALGORITHMS = {
  kex: [HYBRID, "curve25519-sha256", "curve25519-sha256@libssh.org"],
  cipher: ["aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr", "aes128-ctr"],
  hmac: ["hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com"],
  compress: ["none"],
} satisfies Algorithms;

/**
 * Types of host key. A client takes both; a server offers Ed25519, and P-256, which auditors call weak
 * for its curve, only where it was told to for clients that know no other.
 */
export const HOST_KEY_ALGORITHMS = ["ssh-ed25519", "ecdsa-sha2-nistp256"] as const;
