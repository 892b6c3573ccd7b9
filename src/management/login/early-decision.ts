/**
 * Management's early decision on a connection. It is never final: the machine decides again.
 *
 * @module
 */
import { asIfApproved } from "../../policy/decide/approval.ts";
import { type Decision, decide, decidePeer } from "../../policy/decide/decide.ts";
import { principalsOf } from "../../policy/decide/principals.ts";
import type { PolicySnapshot } from "../../policy/decide/snapshot.ts";
import type { AccessReason } from "../../wire/access-reason.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { EpochSeconds } from "../../wire/units.ts";
import type { LoginRow } from "../db/tables/logins.ts";
import type { PeerRow } from "../db/tables/peers.ts";
import type { UserRow } from "../db/tables/users.ts";
import { reportedFlags } from "./target.ts";

export interface EarlyQuestion {
  readonly user: UserRow;
  readonly login: Pick<LoginRow, "authTime" | "binding">;
  readonly device: PeerRow;
  readonly target: PeerRow;
  readonly snapshot: PolicySnapshot;
  /** Empty: not known yet. */
  readonly localUser: string;
  readonly nowSeconds: EpochSeconds;
  /** The reason that the person gave. Absent: none. */
  readonly accessReason?: AccessReason | undefined;
}

export type EarlyVerdict =
  | { readonly kind: "allow"; readonly principals: readonly string[] }
  | { readonly kind: "deny"; readonly reason: ReasonCode; readonly decision: Decision };

/**
 * Decides whether this person may log in from this device as `localUser`, or which local users they may be.
 */
export function judgePerson(question: EarlyQuestion): EarlyVerdict {
  const { user, login, device, target, snapshot, localUser } = question;
  const request = {
    userId: user.id,
    devicePeerId: device.id,
    // No local user is named `*`. It stands for an unknown one, and is granted where any local user is.
    localUser: localUser === "" ? "*" : localUser,
    localUid: null,
    action: { kind: "connect" } as const,
    nowSeconds: question.nowSeconds,
    authTimeSeconds: login.authTime,
    binding: login.binding,
    reason: question.accessReason ?? "",
    flags: reportedFlags(target.flags),
  };
  const principals = principalsOf(request, snapshot);
  if (localUser === "" && principals.length > 0) return { kind: "allow", principals };
  const decision = decide({ ...request, localUser: userOfReason(question, request) }, snapshot);
  if (decision.kind === "deny") return { kind: "deny", reason: decision.reason, decision };
  return principals.length > 0
    ? { kind: "allow", principals }
    : { kind: "deny", reason: "peer_not_authorized", decision };
}

/**
 * The local user to decide about: the requested one. If none is known, the first that a reason and an
 * approval would permit, so that the denial says which of the two is missing.
 */
function userOfReason(
  { localUser, snapshot }: EarlyQuestion,
  request: Parameters<typeof principalsOf>[0] & { readonly localUser: string },
): string {
  if (localUser !== "") return request.localUser;
  const reason = request.reason === "" ? "any" : request.reason;
  return principalsOf({ ...request, reason }, asIfApproved(snapshot))[0] ?? request.localUser;
}

/**
 * For a machine with --disable-ssh-auth: whether the device itself may log in. Without a known local user the
 * machine decides alone.
 */
export function judgeDevice(question: EarlyQuestion): EarlyVerdict {
  const { device, target, snapshot, localUser } = question;
  if (localUser === "") return { kind: "allow", principals: [] };
  const decision = decidePeer(
    {
      sourcePeerId: device.id,
      localUser,
      localUid: null,
      action: { kind: "connect" },
      nowSeconds: question.nowSeconds,
      flags: reportedFlags(target.flags),
    },
    snapshot,
  );
  return decision.kind === "deny"
    ? { kind: "deny", reason: decision.reason, decision }
    : { kind: "allow", principals: [] };
}
