/**
 * Random ids. A separate file without node:crypto, which takes 4 ms to load: the command that ssh(1) runs at
 * every connection needs an id and nothing else of it.
 *
 * @module
 */

const ID_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";
/** Largest multiple of 36 below 256: larger bytes would favour some characters. */
const UNBIASED_MAX = 252;

/** A new id: 20 characters of base 36 (103 bits), unguessable, never reused. */
export function newId(): string {
  let id = "";
  while (id.length < 20) {
    for (const byte of crypto.getRandomValues(new Uint8Array(24))) {
      if (byte < UNBIASED_MAX && id.length < 20) id += ID_ALPHABET[byte % 36];
    }
  }
  return id;
}
