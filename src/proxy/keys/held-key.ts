/**
 * Comparison of private key files, without the node:crypto that `openssh-key.ts` needs: `qf proxy match` and
 * `known-hosts` run at every connection and would take twice as long.
 *
 * @module
 */

/** Encoded length of seed and public key. */
const SECRET_LENGTH = Buffer.from([0, 0, 0, 64]);

/**
 * Whether two private key files made by `opensshPrivateKey` hold the same key, whatever their certificates.
 */
export function holdsKeyOf(one: string, other: string): boolean {
  return secretOf(one)?.equals(secretOf(other) ?? Buffer.alloc(0)) === true;
}

/** Seed and public key, the last field of 64 bytes. Undefined when it is not such a file. */
function secretOf(text: string): Buffer | undefined {
  const body = /^-----BEGIN[^\n]*\n([\s\S]*)\n-----END/.exec(text)?.[1];
  if (body === undefined) return undefined;
  const bytes = Buffer.from(body, "base64");
  const at = bytes.lastIndexOf(SECRET_LENGTH);
  return at < 0 ? undefined : bytes.subarray(at + SECRET_LENGTH.length, at + SECRET_LENGTH.length + 64);
}
