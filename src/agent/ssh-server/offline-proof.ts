/**
 * Steps 3 to 5 of a sign-in (src/ARCHITECTURE.md) while management is away: the login key has signed its own
 * certificate, the device has signed for it, and everything else is checked against the stored map.
 *
 * Management has checked none of it. Until the provider's token is good for this very login key there is one
 * answer, `unproven`; whether management is away is asked last, so that only a proven person learns of it.
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

/** Proves a person by their own certificate. The SSH signature by the login key is good already. */
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
  // The token says who it is; which user that is here, only the map does.
  const user = findUser(map, userId);
  if (user === undefined || user.isService || user.issuer !== issuer || user.subject !== subject) {
    return { kind: "refused", reason: "peer_not_authorized", identity: { userId: null, devicePeerId } };
  }
  // As management has it: a login counts on a device of its own person, and never on a machine.
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
    // A reason is only ever the person's own word; management could not vouch for it either.
    ...(accessReason === undefined ? {} : { accessReason }),
  };
  // The serial is the client's own invention, and no newer map can come.
  return { kind: "proven", who, serial: null, mapVersion: 0 };
}
