/**
 * Step 6 of a sign-in (src/ARCHITECTURE.md): lets a proven identity in, or tells it why not. Either is stored
 * in audit before it happens.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { newId } from "../../base/random.ts";
import { denialOfLocalAccount } from "../../policy/decide/local-account.ts";
import { denialOfNetwork } from "../../policy/decide/network-rules.ts";
import type { Binding } from "../../wire/certificate.ts";
import { SSH_PORT } from "../../wire/ports.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { LocalUser } from "../../wire/units.ts";
import type { ServerContext } from "../contracts/server-context.ts";
import type { StreamOrigin } from "../contracts/stream-origin.ts";
import { lookUpAccount, NO_ACCOUNT } from "../os/users.ts";
import { reasonOfAuditFailure } from "./audit-failure.ts";
import { type Authorization, authorize, denied, requestRecord, type Subject } from "./authorize.ts";
import type { AccountAnswer } from "./pam-account.ts";
import type { Proof } from "./proof-outcome.ts";

/** Who signed in as which local user. Made once, and never changed. */
export interface AuthResult extends Subject {
  readonly localUser: LocalUser;
  readonly localUid: number;
  /** Serial of the certificate; null for a device key or an approval. */
  readonly serial: string | null;
}

export type Admission =
  | {
      readonly kind: "admitted";
      readonly auth: AuthResult;
      readonly grant: (Authorization & { kind: "allow" })["grant"];
    }
  /** Proven, and not let in. `receipt` names the stored denial; null where it could not be stored. */
  | {
      readonly kind: "refused";
      readonly reason: ReasonCode;
      readonly receipt: string | null;
      /** What the operating system's modules say about it. Empty or absent: nothing. */
      readonly text?: string;
    }
  | { readonly kind: "unproven"; readonly reason: ReasonCode };

export interface AdmissionRequest {
  readonly connectionId: string;
  readonly origin: StreamOrigin;
  readonly clientVersion: string;
  readonly localUser: string;
  /** Checks the proof. Called once. */
  prove(): Proof | Promise<Proof>;
  /** Asks the operating system's modules about an account that it has. */
  checkAccount(localUser: LocalUser): Promise<AccountAnswer>;
  /** Takes a place for this user; false when there is none left. */
  takePlace(key: string): boolean;
}

/** As audit has it. */
interface HowProven {
  /** Null: machine identity. */
  readonly binding: Binding | null;
  readonly offline?: true;
}

/** A map older than the certificate's gets this long to arrive. */
const MAP_WAIT_MS = 2_000;

/** Decides a request that comes with a proof. Never throws: what fails is refused. */
export async function admit(serverContext: ServerContext, request: AdmissionRequest): Promise<Admission> {
  const { localUser, origin } = request;
  // The account is looked up whatever the policy says, so that a name that is nobody's costs the same.
  const lookup = lookUpAccount(localUser, nowSeconds(serverContext.clock)).catch(() => null);
  const proof = await request.prove();
  if (proof.kind === "unproven") return proof;
  const account = await lookup;
  if (proof.kind === "refused")
    return refuse(serverContext, request, refusedVerdict(serverContext, request, proof), { binding: null });
  if ((serverContext.snapshot()?.map.version ?? 0) < proof.mapVersion) {
    await serverContext.waitForMapVersion(proof.mapVersion, MAP_WAIT_MS);
  }
  const subject: Subject = { who: proof.who, localUser, localUid: account?.uid ?? null };
  const how: HowProven = {
    binding: proof.who.kind === "user" ? proof.who.binding : null,
    ...(proof.who.kind === "user" && proof.who.offline === true ? { offline: true } : {}),
  };
  const authorization = authorize(serverContext, subject, { kind: "connect" });
  if (authorization.kind === "deny") return refuse(serverContext, request, authorization, how);
  const reason =
    denialOfUnprovenPath(serverContext, origin, subject) ??
    denialOfLocalAccount(account?.facts ?? NO_ACCOUNT) ??
    (request.takePlace(placeOf(subject)) ? null : "limit_reached");
  if (reason !== null) return refuse(serverContext, request, denied(reason, authorization.request), how);
  const asked = await request.checkAccount(localUser);
  if (asked.reason !== null) {
    const refusal = await refuse(serverContext, request, denied(asked.reason, authorization.request), how);
    return refusal.kind === "refused" ? { ...refusal, text: asked.text } : refusal;
  }
  // It may have taken its time, and a no in the meantime is a no.
  const again = authorize(serverContext, subject, { kind: "connect" });
  if (again.kind === "deny") return refuse(serverContext, request, again, how);
  const auth: AuthResult = { ...subject, localUid: account?.uid ?? -1, serial: proof.serial };
  const unrecorded = await recordOpening(serverContext, { request, auth, authorization, how });
  if (unrecorded !== null) return { kind: "refused", reason: unrecorded, receipt: null };
  return { kind: "admitted", auth, grant: authorization.grant };
}

/** Whose connections are counted together. */
function placeOf({ who }: Subject): string {
  return who.kind === "user" ? who.userId : who.peerId;
}

/** A stream without a hello was not judged by network rules; the device that the certificate names is. */
function denialOfUnprovenPath(
  serverContext: ServerContext,
  origin: StreamOrigin,
  { who }: Subject,
): ReasonCode | null {
  const snapshot = serverContext.snapshot();
  if (origin.path === "plain" && !serverContext.takesPlain()) return "plain_ssh_disabled";
  if (origin.sourcePeerId !== null || who.kind !== "user" || who.devicePeerId === null) return null;
  if (snapshot === null) return "map_stale";
  return denialOfNetwork(
    { sourcePeerId: who.devicePeerId, port: SSH_PORT, nowSeconds: nowSeconds(serverContext.clock) },
    snapshot,
  );
}

function refusedVerdict(
  serverContext: ServerContext,
  { localUser }: AdmissionRequest,
  { reason, identity: { userId, devicePeerId } }: Proof & { kind: "refused" },
): Authorization {
  const request = requestRecord(serverContext, {
    userId,
    devicePeerId,
    localUser,
    action: { kind: "connect" },
  });
  return denied(reason, request);
}

/** Stores the denial under a receipt. A denial that cannot be stored is a denial all the same. */
async function refuse(
  serverContext: ServerContext,
  { connectionId, origin }: AdmissionRequest,
  authorization: Authorization,
  how: HowProven,
): Promise<Admission> {
  const reason = authorization.kind === "deny" ? authorization.reason : "peer_not_authorized";
  const receipt = newId();
  try {
    await serverContext.audit.record({
      type: "decision",
      connectionId,
      request: authorization.request,
      decision: authorization.record,
      receipt,
      ...how,
      sourceAddress: origin.sourceAddress,
    });
    return { kind: "refused", reason, receipt };
  } catch (cause) {
    serverContext.log.warn("a denial could not be recorded", { connectionId }, cause);
    return { kind: "refused", reason, receipt: null };
  }
}

/** Null: it is stored. */
async function recordOpening(
  serverContext: ServerContext,
  opening: {
    request: AdmissionRequest;
    auth: AuthResult;
    authorization: Authorization & { kind: "allow" };
    how: HowProven;
  },
): Promise<ReasonCode | null> {
  const { request, auth, authorization, how } = opening;
  const { connectionId, origin } = request;
  try {
    // Recorded in this order and stored together: one wait for the disk.
    await Promise.all([
      serverContext.audit.record({
        type: "decision",
        connectionId,
        request: authorization.request,
        decision: authorization.record,
        receipt: null,
        ...how,
        sourceAddress: origin.sourceAddress,
      }),
      serverContext.audit.record({
        type: "connection.open",
        connectionId,
        userId: authorization.request.userId,
        devicePeerId: authorization.request.devicePeerId,
        localUser: auth.localUser,
        path: origin.path,
        sourceAddress: origin.sourceAddress,
        clientVersion: request.clientVersion,
        certificateSerial: auth.serial,
        ruleId: authorization.grant.ruleId,
        ...(how.offline === undefined ? {} : { offline: how.offline }),
      }),
    ]);
    return null;
  } catch (cause) {
    const reason = reasonOfAuditFailure(cause);
    if (reason === "audit_unavailable") {
      serverContext.log.error(
        "a sign-in was refused since it could not be recorded",
        { connectionId },
        cause,
      );
    }
    return reason;
  }
}
