/**
 * Self-signed certificates by a login key, for machines that accept logins while management is away
 * (`--allow-offline-logins`).
 *
 * Such a certificate states who its holder claims to be, and for which machine. No CA vouches for it; its
 * proof is the ID token that names the login key, and the device's signature. It covers any local user; the
 * machine's own map decides which ones.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { type Ed25519Key, signEd25519, sshBlobOfEd25519, verifyEd25519 } from "../base/ed25519.ts";
import { sha256 } from "../base/random.ts";
import {
  CERTIFICATE_BACKDATE_SECONDS,
  CERTIFICATE_LIFETIME_SECONDS,
  type CertificateIdentity,
} from "../wire/certificate.ts";
import type { ReasonCode } from "../wire/reason.ts";
import { signedBytes } from "../wire/signed-fields.ts";
import type { AccountId, Ed25519PublicKey, EpochSeconds, PeerId } from "../wire/units.ts";
import { ANY_PRINCIPAL, type Certificate } from "./certificate.ts";
import { issueCertificate } from "./issue.ts";
import { denialOfUse, isSignatureGood, tryParse } from "./verify.ts";

/** Account and management origin: part of everything we sign. */
interface Scope {
  readonly accountId: AccountId;
  readonly origin: string;
}

/** The contents of an offline certificate to be made. */
export interface OfflineOrder {
  readonly scope: Scope;
  readonly loginKey: Ed25519Key;
  /** Key of `identity.devicePeerId`. */
  readonly deviceKey: Ed25519Key;
  readonly targetPeerId: PeerId;
  readonly identity: CertificateIdentity;
  /** The provider's token, whose nonce names the login key. */
  readonly idToken: string;
  readonly nowSeconds: EpochSeconds;
}

/** A certificate over the login key, signed by it, valid for two minutes. Throws as `issueCertificate`. */
export function issueOfflineCertificate(order: OfflineOrder): Buffer {
  const { loginKey, deviceKey, targetPeerId, identity, idToken, nowSeconds, scope } = order;
  const statement = deviceStatement(scope, {
    loginKey: loginKey.publicKey,
    targetPeerId,
    identity,
    idToken,
    validAfterSeconds: nowSeconds - CERTIFICATE_BACKDATE_SECONDS,
    validBeforeSeconds: nowSeconds + CERTIFICATE_LIFETIME_SECONDS,
  });
  return issueCertificate({
    caKey: loginKey,
    serial: randomBytes(8).readBigUInt64BE() >> 1n,
    keyId: `offline user ${identity.userId} device ${identity.devicePeerId}`,
    loginKey: loginKey.publicKey,
    principals: [ANY_PRINCIPAL],
    targetPeerId,
    identity,
    idToken,
    deviceSignature: signEd25519(deviceKey, statement),
    nowSeconds,
  });
}

/** Whether `blob` is well formed and names its own key as its signer. Verifies nothing. */
export function isSelfSigned(blob: Uint8Array): boolean {
  const certificate = tryParse(blob);
  return certificate !== undefined && isOfflineForm(certificate);
}

/** An offline certificate, and the facts to check it against. */
export interface OfflineQuestion {
  /** As received in the userauth request. */
  readonly blob: Uint8Array;
  readonly scope: Scope;
  readonly nowSeconds: EpochSeconds;
  readonly selfPeerId: PeerId;
  /** The device that the hello proved. Null without a hello. */
  readonly sourcePeerId: PeerId | null;
  /** Device key of a peer of the map. Undefined: no such peer. */
  deviceKeyOf(peerId: PeerId): Ed25519PublicKey | undefined;
}

/** The certificate, verified as far as it can prove itself, or the reason why not. */
export type OfflineVerdict =
  | {
      readonly ok: true;
      readonly certificate: Certificate;
      readonly idToken: string;
      readonly loginKeyBlob: Buffer;
      /** SHA-256 of `loginKeyBlob`, base64url: the key of the map's `revokedLogins`. */
      readonly loginId: string;
    }
  | { readonly ok: false; readonly reason: ReasonCode };

/**
 * Verifies what an offline certificate can prove by itself: its form, its own signature, that it is for this
 * machine and this time, and that the device that dialled has signed it. Only the ID token identifies the
 * person, so a denial here names no one.
 */
export function verifyOfflineCertificate(question: OfflineQuestion): OfflineVerdict {
  const certificate = tryParse(question.blob);
  if (certificate === undefined || !isOfflineForm(certificate) || !isSignatureGood(certificate)) {
    return { ok: false, reason: "certificate_invalid" };
  }
  const { identity, idToken, deviceSignature } = certificate;
  if (identity.binding !== "idp" || idToken === null) return { ok: false, reason: "binding_not_accepted" };
  const refusal = denialOfUse(certificate, question);
  if (refusal !== null) return { ok: false, reason: refusal };
  const deviceKey = question.deviceKeyOf(identity.devicePeerId);
  const statement = deviceStatement(question.scope, { ...certificate, idToken });
  if (deviceKey === undefined || deviceSignature === null) return { ok: false, reason: "device_unknown" };
  if (!verifyEd25519(deviceKey, statement, deviceSignature)) return { ok: false, reason: "device_unknown" };

  const loginKeyBlob = sshBlobOfEd25519(certificate.loginKey);
  return { ok: true, certificate, idToken, loginKeyBlob, loginId: sha256(loginKeyBlob) };
}

/** Whether it has the form of `issueOfflineCertificate`: self-signed, for any local user. */
function isOfflineForm({ caKey, loginKey, principals }: Certificate): boolean {
  return caKey === loginKey && principals[0] === ANY_PRINCIPAL;
}

/** What the device signs; see `EXTENSION_DEVICE`. */
function deviceStatement(
  scope: Scope,
  said: Pick<
    Certificate,
    "loginKey" | "targetPeerId" | "identity" | "validAfterSeconds" | "validBeforeSeconds"
  > & { readonly idToken: string },
): Uint8Array<ArrayBuffer> {
  return signedBytes("offline-login", scope, {
    loginKey: said.loginKey,
    devicePeerId: said.identity.devicePeerId,
    target: said.targetPeerId,
    tokenHash: sha256(said.idToken),
    validAfterSeconds: said.validAfterSeconds,
    validBeforeSeconds: said.validBeforeSeconds,
  });
}
