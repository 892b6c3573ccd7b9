/**
 * Our OpenSSH user certificates (PROTOCOL.certkeys), in parsed form.
 *
 * `parse.ts` reads one strictly and believes nothing; `verify.ts` decides whether to believe it;
 * `issue.ts` makes one. Nothing here does I/O or looks at a clock: the time is always an argument.
 *
 * @module
 */
import type { CertificateIdentity } from "../wire/certificate.ts";
import type { Ed25519PublicKey, EpochSeconds, PeerId } from "../wire/units.ts";

/** The type of a key without a certificate (RFC 8709 section 4). */
export const PLAIN_KEY_TYPE = "ssh-ed25519";
/** PROTOCOL.certkeys: 1 is a user's, 2 a host's. */
export const CERTIFICATE_TYPE_USER = 1;
/** Any local user. Stands alone, and is no OS user's name. */
export const ANY_PRINCIPAL = "*";
/** Longest key id, in bytes. */
export const KEY_ID_BYTES_MAX = 512;
/** Bytes of a nonce, as OpenSSH makes it. */
export const NONCE_BYTES = 32;

/** A certificate as parsed: well formed, nothing in it verified. */
export interface Certificate {
  readonly serial: bigint;
  /** Free text for logs. */
  readonly keyId: string;
  /** The certified key: raw, base64url. */
  readonly loginKey: Ed25519PublicKey;
  /** Local users, unique; or `*` alone. Never empty. */
  readonly principals: readonly string[];
  /** First second in which it holds. */
  readonly validAfterSeconds: EpochSeconds;
  /** First second in which it no longer holds. */
  readonly validBeforeSeconds: EpochSeconds;
  /** Value of the critical option: the only machine it is for. */
  readonly targetPeerId: PeerId;
  readonly identity: CertificateIdentity;
  /** A compact JWS, unverified. Null: the account keeps tokens from machines. */
  readonly idToken: string | null;
  /** By the device, base64url, where the login key has signed for itself; see `offline.ts`. */
  readonly deviceSignature: string | null;
  /** Raw, base64url. */
  readonly caKey: Ed25519PublicKey;
  /** What the CA signed: everything before the signature. */
  readonly signedBytes: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}
