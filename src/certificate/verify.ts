/**
 * Offline verification of a certificate on the machine that it names.
 *
 * A machine calls `isPlausible` for the unsigned query. For a signed request it calls `parseCertificate`,
 * `verifyUserSignature` with the login key, and `verifyCertificate`. `identity/verify.ts` then checks the ID
 * token, and `policy/decide/decide.ts` decides whether the person has access.
 *
 * @module
 */
import { sshBlobOfEd25519, verifyEd25519 } from "../base/ed25519.ts";
import { isQfError } from "../base/errors.ts";
import { sha256 } from "../base/random.ts";
import { SshBufferError, SshReader } from "../base/ssh-buffer.ts";
import { type CertificateIdentity, CLOCK_SKEW_SECONDS } from "../wire/certificate.ts";
import type { MapCa } from "../wire/network-map.ts";
import type { ReasonCode } from "../wire/reason.ts";
import { type Ed25519PublicKey, type EpochSeconds, LocalUser, type PeerId } from "../wire/units.ts";
import { ANY_PRINCIPAL, type Certificate, PLAIN_KEY_TYPE } from "./certificate.ts";
import { parseCertificate } from "./parse.ts";

/** A certificate, and the facts to check it against. */
export interface CertificateQuestion {
  /** As received in the userauth request. */
  readonly blob: Uint8Array;
  /** CAs in force. */
  readonly cas: readonly MapCa[];
  readonly nowSeconds: EpochSeconds;
  readonly selfPeerId: PeerId;
  /** The requested OS user, as received. */
  readonly localUser: string;
  /** The device that the hello proved. Null without a hello. */
  readonly sourcePeerId: PeerId | null;
}

/** The verified certificate, or the reason why it is refused. */
export type CertificateVerdict =
  | {
      readonly ok: true;
      readonly certificate: Certificate;
      readonly identity: CertificateIdentity;
      readonly idToken: string | null;
      /** SSH blob of the certified key, from which the ID token's nonce is computed. */
      readonly loginKeyBlob: Buffer;
      /** SHA-256 of `loginKeyBlob`, base64url: the key of the map's `revokedLogins`. */
      readonly loginId: string;
    }
  | { readonly ok: false; readonly reason: ReasonCode };

/** Whether `blob` is well formed and names a CA in force. Verifies nothing. */
export function isPlausible(blob: Uint8Array, cas: readonly MapCa[]): boolean {
  const certificate = tryParse(blob);
  return certificate !== undefined && isInForce(certificate.caKey, cas);
}

/**
 * Verifies the certificate itself, and that its device is the hello's (step 3 of a sign-in,
 * src/ARCHITECTURE.md). Call it after verifying the login key's signature. A reason other than
 * `certificate_invalid` means that the CA's signature was valid too.
 */
export function verifyCertificate(question: CertificateQuestion): CertificateVerdict {
  const certificate = tryParse(question.blob);
  if (certificate === undefined) return deny("certificate_invalid");
  if (!isInForce(certificate.caKey, question.cas)) return deny("certificate_invalid");
  if (!isSignatureGood(certificate)) return deny("certificate_invalid");
  const refusal = denialOfUse(certificate, question);
  if (refusal !== null) return deny(refusal);
  const { identity, idToken } = certificate;
  if (!isPrincipal(question.localUser, certificate.principals)) return deny("local_user_not_authorized");

  const loginKeyBlob = sshBlobOfEd25519(certificate.loginKey);
  return { ok: true, certificate, identity, idToken, loginKeyBlob, loginId: sha256(loginKeyBlob) };
}

/** Why a certificate is refused on this machine, at this time or from this device. Null: accepted. */
export function denialOfUse(
  certificate: Certificate,
  question: Pick<CertificateQuestion, "nowSeconds" | "selfPeerId" | "sourcePeerId">,
): ReasonCode | null {
  const { nowSeconds, selfPeerId, sourcePeerId } = question;
  if (nowSeconds < certificate.validAfterSeconds - CLOCK_SKEW_SECONDS) return "clock_skew";
  if (nowSeconds >= certificate.validBeforeSeconds + CLOCK_SKEW_SECONDS) return "certificate_expired";
  if (certificate.targetPeerId !== selfPeerId) return "wrong_target";
  const isOtherDevice = sourcePeerId !== null && sourcePeerId !== certificate.identity.devicePeerId;
  return isOtherDevice ? "device_unknown" : null;
}

/** Whether the certificate's signature is by the signer it names. */
export function isSignatureGood({ caKey, signedBytes, signature }: Certificate): boolean {
  return verifyRaw(caKey, signedBytes, signature);
}

/**
 * Whether `signature` over `data` is by `loginKey`: a certified key or a device key.
 *
 * OpenSSH sends the signature as `string "ssh-ed25519"`, `string signature`, for certificates too. ssh2's
 * server strips a header equal to the algorithm of the request, so 64 bare bytes arrive from ssh2's own
 * client. Nothing else is accepted.
 */
export function verifyUserSignature(request: {
  readonly loginKey: Ed25519PublicKey;
  readonly data: Uint8Array;
  readonly signature: Uint8Array;
}): boolean {
  const raw = rawSignature(request.signature);
  return raw !== undefined && verifyRaw(request.loginKey, request.data, raw);
}

function rawSignature(signature: Uint8Array): Uint8Array | undefined {
  if (signature.length === 64) return signature;
  try {
    const reader = new SshReader(signature);
    if (reader.text(64) !== PLAIN_KEY_TYPE) return undefined;
    const raw = reader.string(64);
    reader.end();
    return raw.length === 64 ? raw : undefined;
  } catch (cause) {
    if (cause instanceof SshBufferError) return undefined;
    throw cause;
  }
}

/** The last well-formed certificate, with our own copy of its bytes. */
let last: { readonly blob: Buffer; readonly certificate: Certificate } | null = null;

/**
 * `parseCertificate`, with undefined for what is malformed. The steps of one sign-in ask about the same bytes
 * up to four times, and they are read once.
 */
export function tryParse(blob: Uint8Array): Certificate | undefined {
  if (last?.blob.equals(blob) === true) return last.certificate;
  try {
    const own = Buffer.from(blob);
    const certificate = parseCertificate(own);
    last = { blob: own, certificate };
    return certificate;
  } catch (cause) {
    if (isQfError(cause, "ERR_CERTIFICATE_INVALID")) return undefined;
    throw cause;
  }
}

function isInForce(caKey: Ed25519PublicKey, cas: readonly MapCa[]): boolean {
  const blob = sshBlobOfEd25519(caKey).toString("base64");
  return cas.some((ca) => ca.publicKey === blob);
}

/** `*` stands for any OS user, but what is asked for must be a name: never `*`, a list or a pattern. */
function isPrincipal(localUser: string, principals: readonly string[]): boolean {
  if (!LocalUser.safeParse(localUser).success) return false;
  return principals.includes(localUser) || principals[0] === ANY_PRINCIPAL;
}

function verifyRaw(publicKey: Ed25519PublicKey, data: Uint8Array, signature: Uint8Array): boolean {
  return verifyEd25519(publicKey, data, Buffer.from(signature).toString("base64url"));
}

function deny(reason: ReasonCode): CertificateVerdict {
  return { ok: false, reason };
}
