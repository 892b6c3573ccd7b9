/**
 * Encryption of secrets at rest: AES-256-GCM under the master key, bound to what each is for.
 *
 * Purpose, id and account are authenticated with the text, so a value copied into another row does not open.
 *
 * @module
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { QfError } from "../../base/errors.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = 1;

/** What a sealed secret belongs to. */
export interface SealedFor {
  readonly purpose: string;
  readonly id: string;
  readonly accountId: string;
}

/** `secret` encrypted, in base64url: format byte, nonce, ciphertext, tag. */
export function seal(masterKey: Uint8Array, secret: string | Uint8Array, owner: SealedFor): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", masterKey, nonce);
  cipher.setAAD(associatedData(owner));
  const text = Buffer.concat([cipher.update(secret), cipher.final()]);
  return Buffer.concat([Uint8Array.of(FORMAT), nonce, text, cipher.getAuthTag()]).toString("base64url");
}

/**
 * Opens a sealed secret. Throws ERR_STATE_DAMAGED under another master key, for another owner, or if altered.
 */
export function unseal(masterKey: Uint8Array, sealed: string, owner: SealedFor): Buffer {
  const bytes = Buffer.from(sealed, "base64url");
  try {
    if (bytes[0] !== FORMAT || bytes.length < 1 + NONCE_BYTES + TAG_BYTES) throw new RangeError("too short");
    const decipher = createDecipheriv("aes-256-gcm", masterKey, bytes.subarray(1, 1 + NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(associatedData(owner));
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    const text = bytes.subarray(1 + NONCE_BYTES, bytes.length - TAG_BYTES);
    return Buffer.concat([decipher.update(text), decipher.final()]);
  } catch (cause) {
    throw new QfError("ERR_STATE_DAMAGED", `a stored key (${owner.purpose}) cannot be decrypted`, {
      hint: "the master key file does not belong to this database",
      cause,
    });
  }
}

/** Length-prefixed, so that no two owners share one text. */
function associatedData(owner: SealedFor): Buffer {
  const parts = ["qufabric/sealed/v1", owner.purpose, owner.id, owner.accountId];
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(part));
      return [length, Buffer.from(part)];
    }),
  );
}
