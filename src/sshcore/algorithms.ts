/**
 * Algorithms that both ends of an SSH connection of ours agree on. Pinned: a weaker one is never offered.
 *
 * Strict key exchange (Terrapin, CVE-2023-48795) is ssh2's default and cannot be turned off. No compression:
 * it is attack surface before authentication and slower than the network after it.
 *
 * @module
 */
import type { Algorithms, CipherAlgorithm, KexAlgorithm } from "ssh2";
import { hasChaChaPoly } from "./chacha-poly.ts";

/**
 * draft-ietf-sshm-mlkem-hybrid-kex, as OpenSSH has it since 9.9: who records a session today cannot
 * read it with a quantum computer later. Our patch adds it to ssh2, whose types do not know it.
 */
const HYBRID = "mlkem768x25519-sha256" as string as KexAlgorithm;

/** Our patch adds it to what ssh2 can offer; its types know it as one that some builds have. */
const CHACHA: CipherAlgorithm = "chacha20-poly1305@openssh.com";

/** In order of preference. AES-CTR comes with encrypt-then-MAC only. */
export const ALGORITHMS = {
  kex: [HYBRID, "curve25519-sha256", "curve25519-sha256@libssh.org"],
  cipher: ["aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr", "aes128-ctr"],
  hmac: ["hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com"],
  compress: ["none"],
} satisfies Algorithms;

/**
 * As above, and last in order what older clients need where any client may come: libssh2 before 1.11 and
 * dropbear know no encrypt-then-MAC, net-ssh without its gem no X25519. None of it is broken; auditors would
 * rather not see it. chacha20-poly1305 is what OpenSSH before 9.x prefers, and offered where this system can.
 */
export function plainAlgorithms(): Algorithms {
  return {
    ...ALGORITHMS,
    kex: [...ALGORITHMS.kex, "ecdh-sha2-nistp256"],
    cipher: [...ALGORITHMS.cipher, ...(hasChaChaPoly() ? [CHACHA] : [])],
    hmac: [...ALGORITHMS.hmac, "hmac-sha2-256"],
  };
}

/**
 * Types of host key. A client takes both; a server offers Ed25519, and P-256, which auditors call weak
 * for its curve, only where it was told to for clients that know no other.
 */
export const HOST_KEY_ALGORITHMS = ["ssh-ed25519", "ecdsa-sha2-nistp256"] as const;
