/**
 * Requests for access, under `/api/access`: an approval for one rule at one machine, or a temporary group
 * membership.
 *
 * @module
 */
import { z } from "zod";
import { AccessReason } from "./access-reason.ts";
import { count } from "./admin-query.ts";
import { unlessNull } from "./given.ts";
import { APPROVAL_SECONDS_MAX } from "./policy.ts";
import { REQUEST_SECONDS_MAX } from "./policy-file.ts";
import { GroupId, Id, LocalUser, PeerId, UserId } from "./units.ts";

/** How long a request for a machine waits for a decision, in seconds. */
export const MACHINE_REQUEST_WAIT_SECONDS = 3_600;
/** How long a request for a group waits, in seconds. */
export const GROUP_REQUEST_WAIT_SECONDS = 86_400;
/** Shortest access that can be requested or approved, in seconds. */
export const REQUEST_SECONDS_MIN = 60;
/** Longest membership if the group sets none, in seconds. */
export const GROUP_SECONDS_DEFAULT = 28_800;
/** Most waiting requests of one person. */
export const WAITING_OF_USER_MAX = 5;
/** Most waiting requests of one account. */
export const WAITING_MAX = 100;
/** Longest time one request waits for a decision (long poll), in seconds. */
export const DECISION_WAIT_SECONDS_MAX = 25;
/** How recently a person must have signed in to decide, in seconds. */
export const DECISION_AUTH_SECONDS = 300;

const dateTime = z.iso.datetime({ offset: true });
const named = z.object({ id: z.string(), name: z.string() });
const seconds = z.int().min(REQUEST_SECONDS_MIN).max(Math.max(APPROVAL_SECONDS_MAX, REQUEST_SECONDS_MAX));

/**
 * waiting: not decided yet; approved: in force until `ends_at`; denied; cancelled: by the requester; expired:
 * not decided in time; ended: was in force and no longer is.
 */
export const AccessRequestState = z.enum(["waiting", "approved", "denied", "cancelled", "expired", "ended"]);
export type AccessRequestState = z.infer<typeof AccessRequestState>;

/** A request in API answers. Times are ISO 8601. */
export const AccessRequest = z.object({
  id: Id,
  kind: z.enum(["machine", "group"]),
  state: AccessRequestState,
  user: z.object({ id: UserId, name: z.string(), email: z.string() }),
  /** For kind `machine`, as are the next two. Null otherwise. */
  device: named.nullable(),
  machine: named.nullable(),
  local_user: z.string().nullable(),
  /** For kind `group`. */
  group: named.nullable(),
  /** Empty: none was given. */
  reason: z.string(),
  /** Requested duration. */
  seconds: z.int(),
  /** Longest duration that can be approved. */
  seconds_max: z.int(),
  created_at: dateTime,
  /** When it expires if nobody decides. */
  waits_until: dateTime,
  /** Groups whose standing members decide. Empty: the account's owners and admins. */
  approver_groups: z.array(named),
  /** Page on which it is decided. */
  url: z.string(),
  decided_at: dateTime.nullable(),
  decided_by: named.nullable(),
  /** Comment of the person who decided. Empty: none. */
  note: z.string(),
  ends_at: dateTime.nullable(),
  ended_at: dateTime.nullable(),
  /** Why the approved access ended. */
  end_cause: z
    .enum(["time", "taken_back", "given_up", "rule_changed", "approver_gone", "requester_gone"])
    .nullable(),
  /** Whether the caller made it, may decide about it now, and may end it now. */
  is_own: z.boolean(),
  may_decide: z.boolean(),
  may_end: z.boolean(),
  /** Covers everything a decision is about. The decision must quote it, and is refused if it has changed. */
  digest: z.string(),
});
export type AccessRequest = z.infer<typeof AccessRequest>;

/** Body of POST /api/access/requests. */
export const AccessRequestWrite = z.object({
  kind: z.enum(["machine", "group"]),
  /** For kind `machine`: its id, name, full name or address, and the local user. */
  machine: unlessNull(z.string().min(1).max(253)),
  local_user: unlessNull(LocalUser),
  /** A device of the caller. Absent: the device of the caller's login. */
  device: unlessNull(PeerId),
  /** For kind `group`. */
  group: unlessNull(GroupId),
  /** Absent: the longest that can be approved. */
  seconds: unlessNull(seconds),
  /** Required for a group, and when the rule asks for a reason. */
  reason: unlessNull(AccessReason),
});
export type AccessRequestWrite = z.infer<typeof AccessRequestWrite>;

/** Body of POST /api/access/requests/{id}/decision. */
export const AccessDecision = z.object({
  decision: z.enum(["approve", "deny"]),
  /** `digest` of the request as it was shown. */
  digest: z.string().max(64),
  /** Shorter than what was asked for. Absent: as asked. */
  seconds: unlessNull(seconds),
  /** Shown to the requester. */
  note: unlessNull(AccessReason),
});
export type AccessDecision = z.infer<typeof AccessDecision>;

/** Query of GET /api/access/requests. */
export const AccessRequestsQuery = z.object({
  /** `own`: the caller's; `decide`: those the caller may decide. Absent: all that the caller may see. */
  which: z.enum(["own", "decide"]).optional(),
  /** Only those in this state. */
  state: AccessRequestState.optional(),
});
export type AccessRequestsQuery = z.infer<typeof AccessRequestsQuery>;

/** Query of GET /api/access/requests/{id}. */
export const AccessRequestQuery = z.object({
  /** How long to wait for a decision if there is none yet. Default 0. */
  wait_seconds: count(DECISION_WAIT_SECONDS_MAX).optional(),
});
export type AccessRequestQuery = z.infer<typeof AccessRequestQuery>;

/** A group in which the caller may request temporary membership, as GET /api/access/groups returns it. */
export const RequestableGroup = z.object({
  id: GroupId,
  name: z.string(),
  request_seconds_max: z.int(),
  approver_groups: z.array(named),
  /** The caller's membership: `standing`, or when it ends. Null: not a member. */
  member: z.union([z.literal("standing"), dateTime]).nullable(),
});
export type RequestableGroup = z.infer<typeof RequestableGroup>;
