/**
 * Signatures made by `ssh-keygen -Y sign` (PROTOCOL.sshsig of OpenSSH), checked for Ed25519 keys.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { verifyEd25519 } from "./ed25519.ts";
import { SshReader, SshWriter } from "./ssh-buffer.ts";

const MAGIC = Buffer.from("SSHSIG");
const VERSION = 1;
const KEY_TYPE = "ssh-ed25519";
/** Larger than any field of an Ed25519 signature. */
const FIELD_BYTES_MAX = 1024;
const ARMOR =
  /^-----BEGIN SSH SIGNATURE-----\r?\n([A-Za-z0-9+/=\r\n]{1,4096})-----END SSH SIGNATURE-----\s*$/;

/** A signature to check: of `message`, in `namespace`, by one of `keys`. */
export interface SshSignatureCheck {
  readonly message: Uint8Array;
  /** The signature file, armoured. */
  readonly signature: string;
  readonly namespace: string;
  /** Public keys in OpenSSH format: `ssh-ed25519 AAAA… comment`. Other types never match. */
  readonly keys: readonly string[];
}

/**
 * Whether `signature` is of `message`, in this namespace, by one of `keys`. Malformed input returns false and
 * never throws.
 */
export function isSshSigned({ message, signature, namespace, keys }: SshSignatureCheck): boolean {
  try {
    const armoured = ARMOR.exec(signature)?.[1];
    if (armoured === undefined) return false;
    const found = parseSignature(Buffer.from(armoured, "base64"));
    if (found === undefined || found.namespace !== namespace || found.hash !== "sha512") return false;
    if (!keys.some((line) => keyBlob(line)?.equals(found.publicKey) === true)) return false;
    const signed = new SshWriter()
      .raw(MAGIC)
      .string(Buffer.from(namespace))
      .string(Buffer.alloc(0))
      .string(Buffer.from(found.hash))
      .string(createHash(found.hash).update(message).digest())
      .toBuffer();
    const raw = found.publicKey.subarray(-32).toString("base64url");
    return verifyEd25519(raw, signed, found.signature.toString("base64url"));
  } catch {
    return false;
  }
}

/** Undefined when it is not a signature by an Ed25519 key. */
function parseSignature(bytes: Buffer) {
  const reader = new SshReader(bytes);
  if (!reader.raw(MAGIC.length).equals(MAGIC) || reader.uint32() !== VERSION) return undefined;
  const publicKey = reader.string(FIELD_BYTES_MAX);
  const namespace = reader.text(FIELD_BYTES_MAX);
  const reserved = reader.string(FIELD_BYTES_MAX);
  const hash = reader.text(FIELD_BYTES_MAX);
  const inner = new SshReader(reader.string(FIELD_BYTES_MAX));
  reader.end();
  const type = inner.text(FIELD_BYTES_MAX);
  const signature = inner.string(FIELD_BYTES_MAX);
  inner.end();
  if (reserved.length > 0 || type !== KEY_TYPE) return undefined;
  return { publicKey, namespace, hash, signature };
}

/** The key of one line. Undefined when it is not an Ed25519 key. */
function keyBlob(line: string): Buffer | undefined {
  const [type, text = ""] = line.trim().split(/\s+/);
  if (type !== KEY_TYPE) return undefined;
  const blob = Buffer.from(text, "base64");
  const reader = new SshReader(blob);
  if (reader.text(FIELD_BYTES_MAX) !== KEY_TYPE || reader.string(FIELD_BYTES_MAX).length !== 32)
    return undefined;
  return reader.isAtEnd ? blob : undefined;
}
