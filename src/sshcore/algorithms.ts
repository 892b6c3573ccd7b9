/**
 * The algorithms of our SSH connections, the same for both ends. Pinned: a weaker one is never offered.
 *
 * Strict key exchange (Terrapin, CVE-2023-48795) is ssh2's default and cannot be turned off. No compression:
 * it is attack surface before authentication and slower than the network after it.
 *
 * @module
 */
import type { Algorithms, CipherAlgorithm, KexAlgorithm } from "ssh2";
import { hasChaChaPoly } from "./chacha-poly.ts";

/**
 * draft-ietf-sshm-mlkem-hybrid-kex, as in OpenSSH since 9.9, so that a session recorded today cannot be
 * decrypted with a future quantum computer. Our patch adds it to ssh2, whose types lack it.
 */
const HYBRID = "mlkem768x25519-sha256" as string as KexAlgorithm;

/** Our patch lets ssh2 offer it; in its types only some builds have it. */
const CHACHA: CipherAlgorithm = "chacha20-poly1305@openssh.com";

/** In order of preference. AES-CTR only with encrypt-then-MAC. */
export const ALGORITHMS = {
  kex: [HYBRID, "curve25519-sha256", "curve25519-sha256@libssh.org"],
  cipher: ["aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr", "aes128-ctr"],
  hmac: ["hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com"],
  compress: ["none"],
} satisfies Algorithms;

/**
 * As above, followed by what older clients need on ports open to any client: libssh2 before 1.11 and dropbear
 * lack encrypt-then-MAC, net-ssh without its gem lacks X25519. None of these is broken, though auditors
 * dislike them. OpenSSH before 9.x prefers chacha20-poly1305, which is offered if this system supports it.
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
 * Types of host key. A client accepts both. A server offers Ed25519, and P-256, whose curve auditors call
 * weak, only if configured for clients that support nothing else.
 */
export const HOST_KEY_ALGORITHMS = ["ssh-ed25519", "ecdsa-sha2-nistp256"] as const;
