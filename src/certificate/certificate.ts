/**
 * Our OpenSSH user certificates (PROTOCOL.certkeys), in parsed form.
 *
 * `parse.ts` parses one strictly without trusting it, `verify.ts` verifies it, `issue.ts` makes one. Nothing
 * here does I/O or reads a clock: the time is always an argument.
 *
 * @module
 */
import type { CertificateIdentity } from "../wire/certificate.ts";
import type { Ed25519PublicKey, EpochSeconds, PeerId } from "../wire/units.ts";

/** The type of a key without a certificate (RFC 8709 section 4). */
export const PLAIN_KEY_TYPE = "ssh-ed25519";
/** PROTOCOL.certkeys: 1 is a user's, 2 a host's. */
export const CERTIFICATE_TYPE_USER = 1;
/** Any local user. Used alone; never an OS user's name. */
export const ANY_PRINCIPAL = "*";
/** Longest key id, in bytes. */
export const KEY_ID_BYTES_MAX = 512;
/** Bytes of a nonce, as OpenSSH makes it. */
export const NONCE_BYTES = 32;

/** A parsed certificate: well formed, but nothing in it verified. */
export interface Certificate {
  readonly serial: bigint;
  /** Free text for logs. */
  readonly keyId: string;
  /** The certified key: raw, base64url. */
  readonly loginKey: Ed25519PublicKey;
  /** Local users, unique; or `*` alone. Never empty. */
  readonly principals: readonly string[];
  /** First second in which it is valid. */
  readonly validAfterSeconds: EpochSeconds;
  /** First second in which it is no longer valid. */
  readonly validBeforeSeconds: EpochSeconds;
  /** Value of the critical option: the only machine that accepts it. */
  readonly targetPeerId: PeerId;
  readonly identity: CertificateIdentity;
  /** A compact JWS, unverified. Null: the account does not give tokens to machines. */
  readonly idToken: string | null;
  /** The device's signature (base64url) in a self-signed certificate; see `offline.ts`. */
  readonly deviceSignature: string | null;
  /** Raw, base64url. */
  readonly caKey: Ed25519PublicKey;
  /** What the CA signed: everything before the signature. */
  readonly signedBytes: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}
