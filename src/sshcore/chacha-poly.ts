/**
 * The cipher chacha20-poly1305@openssh.com (OpenSSH's PROTOCOL.chacha20poly1305), computed by the system's
 * libcrypto through bun:ffi.
 *
 * Bun's own crypto lacks both parts. Most systems have OpenSSL 3, since OpenSSH and much else need it;
 * without it the cipher is not offered. It costs about as much as AES-GCM. One context serves all
 * connections: the key is set for each packet, and ChaCha20 has no key schedule.
 *
 * @module
 */
import { dlopen, type Pointer, ptr } from "bun:ffi";
import { timingSafeEqual } from "node:crypto";
import { chachaPoly } from "ssh2/lib/protocol/crypto.js";

const SYMBOLS = {
  EVP_CIPHER_CTX_new: { args: [], returns: "ptr" },
  EVP_chacha20: { args: [], returns: "ptr" },
  EVP_CipherInit_ex: { args: ["ptr", "ptr", "ptr", "ptr", "ptr", "i32"], returns: "i32" },
  EVP_CipherUpdate: { args: ["ptr", "ptr", "ptr", "ptr", "i32"], returns: "i32" },
  EVP_MAC_fetch: { args: ["ptr", "ptr", "ptr"], returns: "ptr" },
  EVP_MAC_CTX_new: { args: ["ptr"], returns: "ptr" },
  EVP_MAC_init: { args: ["ptr", "ptr", "u64", "ptr"], returns: "i32" },
  EVP_MAC_update: { args: ["ptr", "ptr", "u64"], returns: "i32" },
  EVP_MAC_final: { args: ["ptr", "ptr", "ptr", "u64"], returns: "i32" },
} as const;
const LIBRARY = "libcrypto.so.3";

const LENGTH_BYTES = 4;
const KEY_BYTES = 32;
export const TAG_BYTES = 16;
/** Counter of ChaCha20 in 8 bytes, low first, then the packet's number in 8, high first. */
const IV_BYTES = 16;
const SEQUENCE_AT = 12;

/** The operations ssh2's cipher needs. Each call concerns the packet with number `sequence`. */
export interface ChaChaPoly {
  /** Encrypts `packet` (its length first) to `target`, which has room for the tag behind it. */
  seal(mainKey: Buffer, lengthKey: Buffer, sequence: number, packet: Buffer, target: Buffer): void;
  /** The length of a packet from its first four bytes, not yet authenticated. */
  openLength(lengthKey: Buffer, sequence: number, encrypted: Buffer): number;
  /**
   * Decrypts `data`, what follows the length, in place. False when authentication fails; `data` is unchanged.
   */
  open(mainKey: Buffer, sequence: number, length: Buffer, data: Buffer, tag: Buffer): boolean;
}

/** Undefined until looked up. */
let isThere: boolean | undefined;

/** Whether this system, and so ssh2, supports the cipher. Looked up once. */
export function hasChaChaPoly(): boolean {
  isThere ??= install();
  return isThere;
}

function install(): boolean {
  const made = create();
  if (made === null || !works(made)) return false;
  chachaPoly.implementation = made;
  return true;
}

/** Null without a libcrypto that has these functions. */
export function create(): ChaChaPoly | null {
  const crypto = openLibrary();
  if (crypto === null) return null;
  const cipher = crypto.EVP_CIPHER_CTX_new();
  const name = Buffer.from("POLY1305\0");
  const mac = crypto.EVP_MAC_fetch(null, ptr(name), null);
  const macContext = mac === null ? null : crypto.EVP_MAC_CTX_new(mac);
  if (cipher === null || macContext === null) return null;
  if (crypto.EVP_CipherInit_ex(cipher, crypto.EVP_chacha20(), null, null, null, 1) !== 1) return null;

  const iv = fixed(IV_BYTES);
  const zeros = fixed(KEY_BYTES);
  const macKey = fixed(KEY_BYTES);
  const computed = fixed(TAG_BYTES);
  const plainLength = fixed(LENGTH_BYTES);
  const written = fixed(8);
  const must = (result: number): void => {
    if (result !== 1) throw new Error("libcrypto refused an operation");
  };
  const run = (key: Buffer, sequence: number, counter: 0 | 1, from: Pointer, to: Pointer, length: number) => {
    iv.bytes[0] = counter;
    iv.bytes.writeUInt32BE(sequence, SEQUENCE_AT);
    must(crypto.EVP_CipherInit_ex(cipher, null, null, ptr(key), iv.at, -1));
    must(crypto.EVP_CipherUpdate(cipher, to, written.at, from, length));
  };
  /** Writes the authentication tag over `parts`, in order, to `tag`. */
  const authenticate = (mainKey: Buffer, sequence: number, parts: readonly Buffer[], tag: Pointer): void => {
    run(mainKey, sequence, 0, zeros.at, macKey.at, KEY_BYTES);
    must(crypto.EVP_MAC_init(macContext, macKey.at, BigInt(KEY_BYTES), null));
    for (const part of parts) must(crypto.EVP_MAC_update(macContext, ptr(part), BigInt(part.length)));
    must(crypto.EVP_MAC_final(macContext, tag, written.at, BigInt(TAG_BYTES)));
  };
  return {
    seal(mainKey, lengthKey, sequence, packet, target) {
      // First, because sharing memory may move it once.
      const sealed = target.subarray(0, packet.length);
      const [from, to] = [ptr(packet), ptr(target)];
      run(lengthKey, sequence, 0, from, to, LENGTH_BYTES);
      const body = (at: Pointer): Pointer => (at + LENGTH_BYTES) as Pointer;
      run(mainKey, sequence, 1, body(from), body(to), packet.length - LENGTH_BYTES);
      authenticate(mainKey, sequence, [sealed], (to + packet.length) as Pointer);
    },
    openLength(lengthKey, sequence, encrypted) {
      run(lengthKey, sequence, 0, ptr(encrypted), plainLength.at, LENGTH_BYTES);
      return plainLength.bytes.readUInt32BE();
    },
    open(mainKey, sequence, length, data, tag) {
      authenticate(mainKey, sequence, [length, data], computed.at);
      if (!timingSafeEqual(computed.bytes, tag)) return false;
      const at = ptr(data);
      run(mainKey, sequence, 1, at, at, data.length);
      return true;
    },
  };
}

function openLibrary() {
  try {
    return dlopen(LIBRARY, SYMBOLS).symbols;
  } catch {
    return null;
  }
}

/** A buffer with its own memory, whose address is looked up once. */
function fixed(bytes: number): { readonly bytes: Buffer; readonly at: Pointer } {
  const made = Buffer.from(new ArrayBuffer(bytes));
  return { bytes: made, at: ptr(made) };
}

/** Compares with a packet sealed by OpenSSH's own code, so that a deviating library is never used. */
function works({ seal }: ChaChaPoly): boolean {
  const packet = Buffer.from("0000000c060506070809000000000000", "hex");
  const target = Buffer.alloc(packet.length + TAG_BYTES);
  seal(Buffer.alloc(KEY_BYTES, 1), Buffer.alloc(KEY_BYTES, 2), 7, packet, target);
  return target.toString("hex") === KNOWN;
}
const KNOWN = "64ae0816c9fe24ab0a4ca4b7be59c79ecb6ed612aee495b943a72f2607ed9caa";
