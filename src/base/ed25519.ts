/**
 * Ed25519 keys (RFC 8032) as raw bytes in unpadded base64url, the only form in which we store and send them.
 *
 * @module
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from "node:crypto";

/** RFC 8410 prefixes: PKCS#8 of a 32-byte seed, SPKI of a 32-byte public key. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** A key pair, ready to sign. */
export interface Ed25519Key {
  /** 32-byte seed, base64url. Secret. */
  readonly seed: string;
  /** 32-byte public key, base64url. */
  readonly publicKey: string;
  readonly privateKeyObject: KeyObject;
}

/** A new key from the system's random source. */
export function generateEd25519(): Ed25519Key {
  return ed25519FromSeed(randomBytes(32).toString("base64url"));
}

/** The key of `seed` (32 bytes, base64url). Throws a `TypeError` for any other length. */
export function ed25519FromSeed(seed: string): Ed25519Key {
  const bytes = Buffer.from(seed, "base64url");
  if (bytes.length !== 32) throw new TypeError("an Ed25519 seed has 32 bytes");
  const privateKeyObject = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, bytes]),
    format: "der",
    type: "pkcs8",
  });
  const spki = createPublicKey(privateKeyObject).export({ format: "der", type: "spki" });
  return { seed, publicKey: spki.subarray(SPKI_PREFIX.length).toString("base64url"), privateKeyObject };
}

/** The key object of a raw public key. Throws a `TypeError` unless it has 32 bytes. */
export function ed25519PublicKeyObject(publicKey: string): KeyObject {
  const bytes = Buffer.from(publicKey, "base64url");
  if (bytes.length !== 32) throw new TypeError("an Ed25519 public key has 32 bytes");
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, bytes]), format: "der", type: "spki" });
}

/** The signature of `bytes`: 64 bytes in base64url. */
export function signEd25519(key: Ed25519Key, bytes: Uint8Array): string {
  return sign(null, bytes, key.privateKeyObject).toString("base64url");
}

/**
 * Whether `signature` (base64url) is `publicKey`'s over `bytes`. False, never a throw, for malformed input.
 */
export function verifyEd25519(publicKey: string, bytes: Uint8Array, signature: string): boolean {
  const raw = Buffer.from(signature, "base64url");
  if (raw.length !== 64) return false;
  try {
    return verify(null, bytes, ed25519PublicKeyObject(publicKey), raw);
  } catch {
    return false;
  }
}

/** The SSH public key blob (RFC 8709 section 4) of a raw public key, which must have 32 bytes. */
export function sshBlobOfEd25519(publicKey: string): Buffer {
  const type = Buffer.from("ssh-ed25519");
  const bytes = Buffer.from(publicKey, "base64url");
  const out = Buffer.alloc(4 + type.length + 4 + bytes.length);
  out.writeUInt32BE(type.length, 0);
  type.copy(out, 4);
  out.writeUInt32BE(bytes.length, 4 + type.length);
  bytes.copy(out, 8 + type.length);
  return out;
}
