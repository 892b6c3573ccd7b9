/**
 * The SSH server's only authorisation: may this subject do this now, by the present map and flags? Asked at
 * sign-in and again for everything a connection does; an earlier grant proves nothing.
 *
 * `policy/decide/decide.ts` decides. This adds what only the machine knows: the age of its map, revoked
 * logins, and which issuer it is pinned to. Synchronous, so that nothing can change during a decision.
 *
 * @module
 */
import { type Clock, nowSeconds } from "../../base/clock.ts";
import { decide, decidePeer, recordOf } from "../../policy/decide/decide.ts";
import { findUser, type PolicySnapshot } from "../../policy/decide/snapshot.ts";
import type { AccessReason } from "../../wire/access-reason.ts";
import type { Binding } from "../../wire/certificate.ts";
import type { AccessRequestRecord, Action, DecisionRecord, Grant } from "../../wire/decision.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { EpochSeconds, LocalUser, PeerId, UserId } from "../../wire/units.ts";
import type { ServerContext } from "../contracts/server-context.ts";

/** The proven identity: a person by certificate or approval, or a peer by its device key. */
export type Who =
  | {
      readonly kind: "user";
      readonly userId: UserId;
      readonly issuer: string;
      readonly subject: string;
      /** Null: not a registered device. */
      readonly devicePeerId: PeerId | null;
      /** The machine whose agent intercepted the person's SSH client. Absent: none did. */
      readonly interceptedBy?: PeerId;
      readonly authTimeSeconds: EpochSeconds | null;
      readonly binding: Binding;
      /** SHA-256 of the login key, as `revokedLogins` names it. */
      readonly loginId: string;
      /** The person's stated reason for access. Absent: none. */
      readonly accessReason?: AccessReason;
      /** The login key signed its own certificate while management was away. Absent: it did not. */
      readonly offline?: true;
    }
  | { readonly kind: "peer"; readonly peerId: PeerId };

export interface Subject {
  readonly who: Who;
  readonly localUser: LocalUser;
  /** Null: the account does not exist; then only the name `root` counts as uid 0. */
  readonly localUid: number | null;
}

interface Written {
  readonly request: AccessRequestRecord;
  readonly record: DecisionRecord;
}
export type Authorization =
  | ({ readonly kind: "allow"; readonly grant: Grant } & Written)
  | ({ readonly kind: "deny"; readonly reason: ReasonCode } & Written);

/** Stands for this machine before its first map. */
const NO_PEER: PeerId = "0".repeat(20);

export type AuthorizeContext = Pick<
  ServerContext,
  "snapshot" | "mapAgeSeconds" | "managementSeconds" | "machineFlags" | "sshAuth" | "pinned" | "offlineLogins"
> & {
  readonly clock: Clock;
};

/** Decides now whether `subject` may do `action`. */
export function authorize(serverContext: AuthorizeContext, subject: Subject, action: Action): Authorization {
  const request = requestOf(serverContext, subject, action);
  const { atSeconds: at } = request;
  const snapshot = serverContext.snapshot();
  if (snapshot === null) return denied("map_stale", request);
  const early = denialByContext(serverContext, subject, snapshot);
  if (early !== null) return denied(early, request);
  const decision = askPolicy(serverContext, subject, { action, at, snapshot });
  const record = recordOf(decision);
  if (decision.kind === "deny") return { kind: "deny", reason: decision.reason, request, record };
  return { kind: "allow", grant: decision.grant, request, record };
}

/** The subject's request as it is stored with the decision. */
export function requestOf(
  serverContext: Pick<AuthorizeContext, "clock" | "snapshot">,
  { who, localUser }: Pick<Subject, "who" | "localUser">,
  action: Action,
): AccessRequestRecord {
  const isUser = who.kind === "user";
  return requestRecord(serverContext, {
    userId: isUser ? who.userId : null,
    devicePeerId: isUser ? who.devicePeerId : who.peerId,
    localUser,
    action,
  });
}

/** A request to this machine, made now. */
export function requestRecord(
  serverContext: Pick<AuthorizeContext, "clock" | "snapshot">,
  asked: Pick<AccessRequestRecord, "userId" | "devicePeerId" | "localUser" | "action">,
): AccessRequestRecord {
  const targetPeerId = serverContext.snapshot()?.map.self.peerId ?? NO_PEER;
  return { ...asked, targetPeerId, atSeconds: nowSeconds(serverContext.clock) };
}

/** A denial that does not come from policy. */
export function denied(reason: ReasonCode, request: AccessRequestRecord): Authorization {
  return { kind: "deny", reason, request, record: { outcome: "deny", reason, ruleId: null, trace: [] } };
}

function askPolicy(
  serverContext: AuthorizeContext,
  { who, localUser, localUid }: Subject,
  { action, at, snapshot }: { action: Action; at: EpochSeconds; snapshot: PolicySnapshot },
) {
  const common = {
    ...{ localUser, localUid, action, nowSeconds: at, flags: serverContext.machineFlags() },
    endsAtSeconds: serverContext.managementSeconds?.() ?? at,
  };
  if (who.kind === "peer") return decidePeer({ ...common, sourcePeerId: who.peerId }, snapshot);
  return decide(
    {
      ...common,
      userId: who.userId,
      devicePeerId: who.devicePeerId,
      ...(who.interceptedBy === undefined ? {} : { interceptedBy: who.interceptedBy }),
      authTimeSeconds: who.authTimeSeconds,
      binding: who.binding,
      reason: who.accessReason ?? "",
    },
    snapshot,
  );
}

function denialByContext(
  serverContext: AuthorizeContext,
  subject: Subject,
  snapshot: PolicySnapshot,
): ReasonCode | null {
  const { map } = snapshot;
  const isRoot = subject.localUid === null ? subject.localUser === "root" : subject.localUid === 0;
  const staleAfter = isRoot
    ? Math.min(map.settings.maxStaleRootSeconds, map.settings.maxStaleSeconds)
    : map.settings.maxStaleSeconds;
  if (serverContext.mapAgeSeconds() > staleAfter) return "map_stale";
  return denialOfIdentity(serverContext, subject.who, snapshot);
}

/** Checks whether this machine accepts this kind of proof and whether the login was revoked. */
function denialOfIdentity(
  serverContext: AuthorizeContext,
  who: Who,
  { map }: PolicySnapshot,
): ReasonCode | null {
  const pinned = serverContext.pinned();
  if (who.kind === "peer") return pinned !== null || serverContext.sshAuth() ? "binding_not_accepted" : null;
  if (!serverContext.sshAuth()) return "machine_identity_only";
  if (pinned !== null && (who.binding !== "idp" || who.issuer !== pinned.issuer))
    return "binding_not_accepted";
  // Offline logins were turned off meanwhile. Management's return alone does not end such a connection.
  if (who.offline === true && serverContext.offlineLogins() === "off") return "binding_not_accepted";
  const user = findUser(map, who.userId);
  // Blocking a user also revokes their logins. Let `decide` report the block, which is the real reason.
  if (user !== undefined && user.status !== "active") return null;
  if (Object.hasOwn(map.revokedLogins, who.loginId)) return "login_revoked";
  if (user === undefined) return null;
  return user.issuer === who.issuer && user.subject === who.subject ? null : "token_invalid";
}
