/**
 * Steps 2 to 5 of DESIGN section 3: from a signed publickey request to a person, or not.
 *
 * A decision follows a signature only. Until the user's and the CA's signatures are both good there is
 * one answer, `unproven`, whatever was wrong; from then on a denial says why.
 *
 * @module
 */

import { nowSeconds } from "../../base/clock.ts";
import { sshBlobOfEd25519 } from "../../base/ed25519.ts";
import { isQfError } from "../../base/errors.ts";
import type { Certificate } from "../../certificate/certificate.ts";
import { parseCertificate } from "../../certificate/parse.ts";
import { verifyCertificate, verifyUserSignature } from "../../certificate/verify.ts";
import { verifyManagementToken } from "../../identity/management-token.ts";
import { verifyIdToken } from "../../identity/verify.ts";
import { findPeer, type PolicySnapshot } from "../../policy/snapshot.ts";
import type { ApprovedIdentity } from "../../wire/agent-sync.ts";
import { type CertificateIdentity, MANAGEMENT_TOKEN_TYPE } from "../../wire/certificate.ts";
import type { ReasonCode } from "../../wire/decision.ts";
import { type EpochSeconds, LocalUser, type PeerId } from "../../wire/units.ts";
import type { World } from "../world.ts";
import type { Who } from "./judge.ts";

/** A publickey request that came with a signature. */
export interface SignedRequest {
  readonly localUser: string;
  readonly keyBlob: Buffer;
  readonly signature: Buffer;
  /** What was signed: session id and request (RFC 4252 section 7). */
  readonly signedData: Buffer;
  /** The device that a hello proved. */
  readonly sourcePeerId: PeerId | null;
}

export type Proof =
  | {
      readonly kind: "proven";
      readonly who: Who;
      readonly serial: string | null;
      readonly mapVersion: number;
    }
  /** Known who it is, but not taken. */
  | { readonly kind: "refused"; readonly reason: ReasonCode; readonly identity: KnownIdentity }
  | { readonly kind: "unproven"; readonly reason: ReasonCode };

/** Who was refused, for audit. */
type KnownIdentity = Pick<CertificateIdentity, "userId"> & { readonly devicePeerId: PeerId | null };

type ProofWorld = Pick<World, "clock" | "snapshot" | "pinned" | "refreshPinned">;

/** Proves a person by certificate. */
export async function proveUser(world: ProofWorld, request: SignedRequest): Promise<Proof> {
  const snapshot = world.snapshot();
  const certificate = tryParse(request.keyBlob);
  if (snapshot === null || certificate === undefined || !isSignedBy(certificate.loginKey, request)) {
    return { kind: "unproven", reason: "certificate_invalid" };
  }
  if (!LocalUser.safeParse(request.localUser).success)
    return { kind: "unproven", reason: "certificate_invalid" };
  const at = nowSeconds(world.clock);
  const verdict = verifyCertificate({
    blob: request.keyBlob,
    cas: Object.values(snapshot.map.cas),
    nowSeconds: at,
    selfPeerId: snapshot.map.self.peerId,
    localUser: request.localUser,
    sourcePeerId: request.sourcePeerId,
  });
  if (!verdict.ok) {
    if (verdict.reason === "certificate_invalid") return { kind: "unproven", reason: verdict.reason };
    return { kind: "refused", reason: verdict.reason, identity: certificate.identity };
  }
  const token = await checkToken({ world, snapshot, certificate, loginKeyBlob: verdict.loginKeyBlob, at });
  if ("reason" in token) return { kind: "refused", reason: token.reason, identity: verdict.identity };
  const { identity } = verdict;
  const who: Who = {
    kind: "user",
    userId: identity.userId,
    issuer: identity.issuer,
    subject: identity.subject,
    devicePeerId: identity.devicePeerId,
    authTimeSeconds: token.authTimeSeconds,
    binding: identity.binding,
    loginId: verdict.loginId,
  };
  return { kind: "proven", who, serial: certificate.serial.toString(), mapVersion: identity.mapVersion };
}

/** Proves a peer by the device key of the hello's source (`--disable-ssh-auth`). */
export function provePeer(world: ProofWorld, request: SignedRequest): Proof {
  const snapshot = world.snapshot();
  const peer =
    snapshot === null || request.sourcePeerId === null
      ? undefined
      : findPeer(snapshot.map, request.sourcePeerId);
  const isKey = peer !== undefined && sshBlobOfEd25519(peer.deviceKey).equals(request.keyBlob);
  const isName = LocalUser.safeParse(request.localUser).success;
  if (peer === undefined || !isKey || !isName || !isSignedBy(peer.deviceKey, request)) {
    return { kind: "unproven", reason: "device_unknown" };
  }
  return { kind: "proven", who: { kind: "peer", peerId: peer.id }, serial: null, mapVersion: 0 };
}

/**
 * A person by management's word: they signed in on its page, for this very SSH session, and their client
 * has typed the code of that page. Such a client is no device of ours, and a machine that trusts the
 * provider's own signature only takes no such word: its binding says so.
 */
export function proveApproved(identity: ApprovedIdentity): Proof {
  const { userId, issuer, subject, authTimeSeconds, loginId, mapVersion, refusal } = identity;
  if (refusal !== null) return { kind: "refused", reason: refusal, identity: { userId, devicePeerId: null } };
  const who: Who = {
    kind: "user",
    userId,
    issuer,
    subject,
    devicePeerId: null,
    authTimeSeconds,
    binding: "ca",
    loginId,
  };
  return { kind: "proven", who, serial: null, mapVersion };
}

interface TokenQuestion {
  readonly world: ProofWorld;
  readonly snapshot: PolicySnapshot;
  readonly certificate: Certificate;
  readonly loginKeyBlob: Buffer;
  readonly at: EpochSeconds;
}
type TokenAnswer = { readonly authTimeSeconds: EpochSeconds | null } | { readonly reason: ReasonCode };

/** The token inside the certificate: the provider's for `idp`, management's own otherwise. */
async function checkToken(question: TokenQuestion): Promise<TokenAnswer> {
  const { identity, idToken } = question.certificate;
  const pinned = question.world.pinned();
  if (pinned !== null && (identity.binding !== "idp" || identity.issuer !== pinned.issuer)) {
    return { reason: "binding_not_accepted" };
  }
  if (idToken === null) {
    // The account keeps ID tokens from machines: then it is management's word, as for every other login.
    if (identity.binding !== "idp") return { reason: "token_invalid" };
    return pinned === null
      ? { authTimeSeconds: identity.authTimeSeconds }
      : { reason: "binding_not_accepted" };
  }
  if (identity.binding === "idp" && !isManagementToken(idToken)) return checkIdToken(question, idToken);
  if (pinned !== null) return { reason: "binding_not_accepted" };
  const { map } = question.snapshot;
  const verdict = await verifyManagementToken({
    token: idToken,
    keys: map.managementKeys,
    origin: map.origin,
    selfPeerId: map.self.peerId,
    loginKey: question.certificate.loginKey,
    nowSeconds: question.at,
  });
  if (!verdict.ok) return { reason: verdict.reason };
  const isSame = verdict.userId === identity.userId && verdict.binding === identity.binding;
  return isSame ? { authTimeSeconds: identity.authTimeSeconds } : { reason: "token_invalid" };
}

async function checkIdToken(question: TokenQuestion, token: string): Promise<TokenAnswer> {
  const { map } = question.snapshot;
  const verify = () => {
    const pinned = question.world.pinned();
    return verifyIdToken({
      token,
      // Pinned, neither keys nor claim are management's to say.
      issuers:
        pinned === null
          ? map.issuers
          : [
              {
                issuer: pinned.issuer,
                audiences: [pinned.audience],
                userIdClaim: "sub",
                keys: [...pinned.keys],
              },
            ],
      nowSeconds: question.at,
      loginSecondsMax: map.settings.loginSecondsMax,
      loginKeyBlob: question.loginKeyBlob,
      requireUnexpired: pinned !== null,
    });
  };
  let verdict = await verify();
  if (!verdict.ok && verdict.reason === "token_invalid" && question.world.pinned() !== null) {
    // Perhaps by a key the issuer has taken into use since.
    await question.world.refreshPinned();
    verdict = await verify();
  }
  if (!verdict.ok) return { reason: verdict.reason };
  const { identity } = question.certificate;
  const isSame = verdict.issuer === identity.issuer && verdict.subject === identity.subject;
  return isSame ? { authTimeSeconds: verdict.claims.authTimeSeconds } : { reason: "token_invalid" };
}

/** Tells the two kinds apart by their own `typ`; each is then verified as what it says it is. */
function isManagementToken(token: string): boolean {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString("utf8"));
    return (header as { typ?: unknown } | null)?.typ === MANAGEMENT_TOKEN_TYPE;
  } catch {
    return false;
  }
}

function isSignedBy(loginKey: string, { signedData, signature }: SignedRequest): boolean {
  return verifyUserSignature({ loginKey, data: signedData, signature });
}

function tryParse(blob: Buffer): Certificate | undefined {
  try {
    return parseCertificate(blob);
  } catch (cause) {
    if (isQfError(cause, "ERR_CERTIFICATE_INVALID")) return undefined;
    throw cause;
  }
}
