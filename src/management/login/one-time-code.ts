/**
 * The code that a page shows and a waiting terminal takes: 8 characters, 39 bits, five tries.
 *
 * @module
 */
import { randomInt } from "node:crypto";
import { sha256 } from "../../base/random.ts";

/** Without characters that are taken for one another: 0 O, 1 I L. */
const ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
const LENGTH = 8;

/** A new code as it is shown: `XXXX-XXXX`. */
export function newOneTimeCode(): string {
  let code = "";
  for (let i = 0; i < LENGTH; i++) code += ALPHABET[randomInt(ALPHABET.length)];
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}

/** Digest under which a code is kept, of one hosted login. Any case, with or without dash and spaces. */
export function oneTimeCodeHash(hostedId: string, typed: string): string {
  return sha256(`hosted-code/${hostedId}/${typed.replace(/[\s-]/g, "").toUpperCase()}`);
}
