/**
 * Steps 3 to 5 of a sign-in (src/ARCHITECTURE.md) while management is away. The login key signed its own
 * certificate, the device co-signed it, and the rest is checked against the stored map.
 *
 * Management has checked none of it. Until the provider's token is verified for this login key, every failure
 * is `unproven`. Whether management is away is checked last, so that only a proven person learns it.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { verifyOfflineCertificate } from "../../certificate/offline.ts";
import { findPeer, findUser, type PolicySnapshot } from "../../policy/decide/snapshot.ts";
import type { CertificateIdentity } from "../../wire/certificate.ts";
import type { EpochSeconds } from "../../wire/units.ts";
import type { Who } from "./authorize.ts";
import type { Proof, ProofContext, SignedRequest } from "./proof-outcome.ts";
import { checkIdToken, isManagementToken } from "./token-check.ts";

/** Proves a person by their self-signed certificate. The login key's SSH signature is already verified. */
export async function proveOffline(
  serverContext: ProofContext,
  snapshot: PolicySnapshot,
  request: Pick<SignedRequest, "keyBlob" | "sourcePeerId">,
): Promise<Proof> {
  if (serverContext.offlineLogins() === "off") return { kind: "unproven", reason: "certificate_invalid" };
  const { map } = snapshot;
  const at = nowSeconds(serverContext.clock);
  const authorization = verifyOfflineCertificate({
    blob: request.keyBlob,
    scope: { accountId: map.accountId, origin: map.origin },
    nowSeconds: at,
    selfPeerId: map.self.peerId,
    sourcePeerId: request.sourcePeerId,
    deviceKeyOf: (peerId) => findPeer(map, peerId)?.deviceKey,
  });
  if (!authorization.ok) return { kind: "unproven", reason: authorization.reason };
  const { certificate, idToken, loginKeyBlob, loginId } = authorization;
  const { issuer, subject, userId, devicePeerId } = certificate.identity;
  const pinned = serverContext.pinned();
  if (isManagementToken(idToken) || (pinned !== null && pinned.issuer !== issuer)) {
    return { kind: "unproven", reason: "binding_not_accepted" };
  }
  const token = await checkIdToken({ serverContext, snapshot, certificate, loginKeyBlob, at }, idToken);
  if ("reason" in token) {
    const isUnproven = token.reason === "token_invalid" || token.reason === "client_not_pinned";
    if (isUnproven) return { kind: "unproven", reason: token.reason };
    return { kind: "refused", reason: token.reason, identity: { userId: null, devicePeerId } };
  }
  // The token proves an identity; only the map says which user that is.
  const user = findUser(map, userId);
  if (user === undefined || user.isService || user.issuer !== issuer || user.subject !== subject) {
    return { kind: "refused", reason: "peer_not_authorized", identity: { userId: null, devicePeerId } };
  }
  // As at management, a login counts only on a device that its user owns, never on a machine.
  const device = findPeer(map, devicePeerId);
  if (device?.kind !== "device" || device.ownerUserId !== userId) {
    return { kind: "refused", reason: "device_unknown", identity: { userId, devicePeerId } };
  }
  if (serverContext.offlineLogins() !== "taken") {
    return { kind: "refused", reason: "management_reachable", identity: { userId, devicePeerId } };
  }
  return proven(certificate.identity, { authTimeSeconds: token.authTimeSeconds, loginId });
}

function proven(
  { issuer, subject, userId, devicePeerId, accessReason }: CertificateIdentity,
  token: { readonly authTimeSeconds: EpochSeconds | null; readonly loginId: string },
): Proof {
  const who: Who = {
    kind: "user",
    userId,
    issuer,
    subject,
    devicePeerId,
    ...token,
    binding: "idp",
    offline: true,
    // A reason is always the person's own claim, which management could not vouch for either.
    ...(accessReason === undefined ? {} : { accessReason }),
  };
  // The client chose the serial itself, and no newer map can arrive.
  return { kind: "proven", who, serial: null, mapVersion: 0 };
}
