/**
 * The page's Ed25519 keys, from WebCrypto. Their private halves cannot be exported.
 *
 * @module
 */
import { type Bytes, concat, toBase64Url, utf8 } from "../../browser-ssh/bytes.ts";
import { ed25519Blob } from "../../browser-ssh/key-exchange.ts";
import { signedBytes } from "../../wire/signed-fields.ts";

export interface WebKey {
  readonly publicKey: Bytes;
  /** The public key as requests carry it. */
  readonly text: string;
  readonly privateKey: CryptoKey;
}

/** Fields that begin every message we sign. */
export interface Scope {
  readonly accountId: string;
  readonly origin: string;
}

/** Whether this browser has the algorithms that the terminal needs. */
export async function hasWebKeys(): Promise<boolean> {
  try {
    await Promise.all([
      crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]),
      crypto.subtle.generateKey("X25519", false, ["deriveBits"]),
    ]);
    return true;
  } catch {
    return false;
  }
}

export async function newWebKey(): Promise<WebKey> {
  return webKeyOf((await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])) as CryptoKeyPair);
}

export async function webKeyOf({ publicKey, privateKey }: CryptoKeyPair): Promise<WebKey> {
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
  return { publicKey: raw, text: toBase64Url(raw), privateKey };
}

/** Signs fields in their order. Returns base64url. */
export async function signFields(
  key: WebKey,
  purpose: Parameters<typeof signedBytes>[0],
  scope: Scope,
  fields: Readonly<Record<string, string | number>>,
): Promise<string> {
  const bytes = signedBytes(purpose, scope, fields);
  return toBase64Url(new Uint8Array(await crypto.subtle.sign("Ed25519", key.privateKey, bytes)));
}

/** SHA-256 of a text, in base64url. */
export async function hashOf(text: string): Promise<string> {
  return toBase64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text))));
}

/** Eight characters for the user to compare with those on the sign-in page. */
export async function shortFingerprint({ publicKey }: WebKey): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", concat(ed25519Blob(publicKey)));
  return [...new Uint8Array(digest).subarray(0, 4)].map((b) => b.toString(16).padStart(2, "0")).join("");
}
