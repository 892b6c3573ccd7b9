/**
 * Steps 2 to 5 of a sign-in (src/ARCHITECTURE.md): turns a signed publickey request (RFC 4252 section 7) into
 * a proven identity, or refuses it.
 *
 * Nothing is decided before a signature. Until the signatures of both the login key and the CA are verified,
 * every failure is `unproven`. After that a denial says why.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { sshBlobOfEd25519 } from "../../base/ed25519.ts";
import { tryParse, verifyCertificate, verifyUserSignature } from "../../certificate/verify.ts";
import { denialOfPrincipal } from "../../policy/decide/principals.ts";
import { findPeer } from "../../policy/decide/snapshot.ts";
import type { ApprovedIdentity } from "../../wire/agent-sync.ts";
import { LocalUser } from "../../wire/units.ts";
import type { StreamOrigin } from "../contracts/stream-origin.ts";
import type { Who } from "./authorize.ts";
import { proveOffline } from "./offline-proof.ts";
import type { Proof, ProofContext, SignedRequest } from "./proof-outcome.ts";
import { checkToken } from "./token-check.ts";

/** Proves a person by a certificate that management or the login key itself signed. */
export async function proveUser(serverContext: ProofContext, request: SignedRequest): Promise<Proof> {
  const snapshot = serverContext.snapshot();
  const certificate = tryParse(request.keyBlob);
  if (snapshot === null || certificate === undefined || !isSignedBy(certificate.loginKey, request)) {
    return { kind: "unproven", reason: "certificate_invalid" };
  }
  if (!LocalUser.safeParse(request.localUser).success)
    return { kind: "unproven", reason: "certificate_invalid" };
  if (certificate.caKey === certificate.loginKey) return proveOffline(serverContext, snapshot, request);
  const at = nowSeconds(serverContext.clock);
  const authorization = verifyCertificate({
    blob: request.keyBlob,
    cas: Object.values(snapshot.map.cas),
    nowSeconds: at,
    selfPeerId: snapshot.map.self.peerId,
    localUser: request.localUser,
    sourcePeerId: request.sourcePeerId,
  });
  if (!authorization.ok) {
    if (authorization.reason === "certificate_invalid")
      return { kind: "unproven", reason: authorization.reason };
    const { identity } = certificate;
    const reason =
      authorization.reason === "local_user_not_authorized"
        ? (denialOfPrincipal(
            {
              ...identity,
              localUser: request.localUser,
              reason: identity.accessReason ?? "",
              nowSeconds: at,
            },
            snapshot,
          ) ?? authorization.reason)
        : authorization.reason;
    return { kind: "refused", reason, identity };
  }
  const token = await checkToken({
    serverContext,
    snapshot,
    certificate,
    loginKeyBlob: authorization.loginKeyBlob,
    at,
  });
  if ("reason" in token) return { kind: "refused", reason: token.reason, identity: authorization.identity };
  const { identity } = authorization;
  const who: Who = {
    kind: "user",
    userId: identity.userId,
    issuer: identity.issuer,
    subject: identity.subject,
    devicePeerId: identity.devicePeerId,
    authTimeSeconds: token.authTimeSeconds,
    binding: identity.binding,
    loginId: authorization.loginId,
    ...(identity.accessReason === undefined ? {} : { accessReason: identity.accessReason }),
  };
  return { kind: "proven", who, serial: certificate.serial.toString(), mapVersion: identity.mapVersion };
}

/** Proves a peer by the device key of the hello's source (`--disable-ssh-auth`). */
export function provePeer(serverContext: ProofContext, request: SignedRequest): Proof {
  const snapshot = serverContext.snapshot();
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
 * Proves a person by management's statement (`approve.ts`): they signed in on its page for this SSH session,
 * and their client sent the page's code. The client is not a registered device, and the binding is `ca`,
 * which a machine with --require-idp-binding refuses. `via` comes from the stream's hello.
 */
export function proveApproved(identity: ApprovedIdentity, via?: StreamOrigin["via"]): Proof {
  const { userId, issuer, subject, authTimeSeconds, loginId, mapVersion, refusal } = identity;
  if (refusal !== null) return { kind: "refused", reason: refusal, identity: { userId, devicePeerId: null } };
  const who: Who = {
    kind: "user",
    userId,
    issuer,
    subject,
    devicePeerId: null,
    ...(via?.by === "intercept" ? { interceptedBy: via.peerId } : {}),
    authTimeSeconds,
    binding: "ca",
    loginId,
  };
  return { kind: "proven", who, serial: null, mapVersion };
}

function isSignedBy(loginKey: string, { signedData, signature }: SignedRequest): boolean {
  return verifyUserSignature({ loginKey, data: signedData, signature });
}
