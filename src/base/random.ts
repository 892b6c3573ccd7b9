/**
 * Random tokens, digests and constant-time comparison.
 *
 * @module
 */
import { createHash, randomBytes, randomInt, timingSafeEqual } from "node:crypto";

export { newId } from "./new-id.ts";

/** A new secret: `prefix` and 32 random bytes in base64url. Shown once; only its digest is stored. */
export function newSecret(prefix: string): string {
  return prefix + randomBytes(32).toString("base64url");
}

/**
 * A whole number from 0 to `max`, inclusive, all equally likely. Spreads out what would otherwise happen all
 * at once.
 */
export function randomUpTo(max: number): number {
  return randomInt(Math.floor(max) + 1);
}

/** SHA-256 of `data` (text as UTF-8) in unpadded base64url: 43 characters. */
export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("base64url");
}

/** Whether two secrets are equal, in a time that does not depend on where they differ. */
export function isEqualSecret(a: string, b: string): boolean {
  return timingSafeEqual(createHash("sha256").update(a).digest(), createHash("sha256").update(b).digest());
}
