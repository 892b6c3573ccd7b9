/**
 * Ids, tokens, digests and comparison in constant time.
 *
 * @module
 */
import { createHash, randomBytes, randomInt, timingSafeEqual } from "node:crypto";

const ID_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";
/** Largest multiple of 36 below 256: bytes above it would favour some characters. */
const UNBIASED_MAX = 252;

/** A new id: 20 characters of base 36, unguessable, never reused. */
export function newId(): string {
  let id = "";
  while (id.length < 20) {
    for (const byte of randomBytes(24)) {
      if (byte < UNBIASED_MAX && id.length < 20) id += ID_ALPHABET[byte % 36];
    }
  }
  return id;
}

/** `prefix` and 32 random bytes in base64url: a secret that is shown once and kept as its digest. */
export function newSecret(prefix: string): string {
  return prefix + randomBytes(32).toString("base64url");
}

/** A whole number from 0 to `max`, inclusive, all equally likely: to spread what would happen all at once. */
export function randomUpTo(max: number): number {
  return randomInt(Math.floor(max) + 1);
}

/** SHA-256 in unpadded base64url. */
export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("base64url");
}

/** Whether two secrets are equal, in a time that does not depend on where they differ. */
export function isEqualSecret(a: string, b: string): boolean {
  return timingSafeEqual(createHash("sha256").update(a).digest(), createHash("sha256").update(b).digest());
}
