/**
 * Codes for one use, shown by a page and typed at a waiting terminal: 8 characters, 39 bits, five tries.
 *
 * @module
 */
import { randomInt } from "node:crypto";
import { sha256 } from "../../base/random.ts";

/** Without characters that look alike: 0 O, 1 I L. */
const ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
const LENGTH = 8;

/** A new code in the form shown: `XXXX-XXXX`. */
export function newOneTimeCode(): string {
  let code = "";
  for (let i = 0; i < LENGTH; i++) code += ALPHABET[randomInt(ALPHABET.length)];
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}

/** Digest under which the code of one hosted login is stored. Ignores case, dashes and spaces. */
export function oneTimeCodeHash(hostedId: string, typed: string): string {
  return sha256(`hosted-code/${hostedId}/${typed.replace(/[\s-]/g, "").toUpperCase()}`);
}
