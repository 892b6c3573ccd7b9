/**
 * Signatures of the provider's cookies. Replaces Keygrip, koa's default, which uses SHA-1 and calls a
 * deprecated function that warns on the console.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import { isEqualSecret } from "../../base/random.ts";

/** The members of Keygrip that koa's cookies call. The first key signs; all verify. */
export class CookieKeys {
  readonly #keys: readonly string[];

  constructor(keys: readonly string[]) {
    this.#keys = keys;
  }

  sign(data: string): string {
    return mac(this.#keys[0] ?? "", data);
  }

  /** Index of the key that made `signature`, or -1. */
  index(data: string, signature: string): number {
    return this.#keys.findIndex((key) => isEqualSecret(mac(key, data), signature));
  }

  verify(data: string, signature: string): boolean {
    return this.index(data, signature) >= 0;
  }
}

function mac(key: string, data: string): string {
  return createHmac("sha256", key).update(data).digest("base64url");
}
