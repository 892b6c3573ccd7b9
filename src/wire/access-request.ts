/**
 * Requests for access, under `/api/access`: an approval of one rule at one machine, or a membership of a
 * group for a while.
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
/** Shortest access that can be asked for or approved, in seconds. */
export const REQUEST_SECONDS_MIN = 60;
/** Longest membership where a group does not say, in seconds. */
export const GROUP_SECONDS_DEFAULT = 28_800;
/** Most requests of one person that wait. */
export const WAITING_OF_USER_MAX = 5;
/** Most requests of one account that wait. */
export const WAITING_MAX = 100;
/** Longest wait of one question for a decision, in seconds. */
export const DECISION_WAIT_SECONDS_MAX = 25;
/** How recently who decides must have signed in, in seconds. */
export const DECISION_AUTH_SECONDS = 300;

const dateTime = z.iso.datetime({ offset: true });
const named = z.object({ id: z.string(), name: z.string() });
const seconds = z.int().min(REQUEST_SECONDS_MIN).max(Math.max(APPROVAL_SECONDS_MAX, REQUEST_SECONDS_MAX));

/**
 * waiting: nobody has decided; approved: it counts until `ends_at`; denied; cancelled: by who asked; expired:
 * nobody decided in time; ended: it counted, and does not any more.
 */
export const AccessRequestState = z.enum(["waiting", "approved", "denied", "cancelled", "expired", "ended"]);
export type AccessRequestState = z.infer<typeof AccessRequestState>;

/** A request as it is answered. Times are ISO 8601. */
export const AccessRequest = z.object({
  id: Id,
  kind: z.enum(["machine", "group"]),
  state: AccessRequestState,
  user: z.object({ id: UserId, name: z.string(), email: z.string() }),
  /** Of kind `machine`, as are the next two. Null for others. */
  device: named.nullable(),
  machine: named.nullable(),
  local_user: z.string().nullable(),
  /** Of kind `group`. */
  group: named.nullable(),
  /** Empty: none was given. */
  reason: z.string(),
  /** How long it is asked for. */
  seconds: z.int(),
  /** The longest that can be approved. */
  seconds_max: z.int(),
  created_at: dateTime,
  /** Nobody decides about it from then on. */
  waits_until: dateTime,
  /** Groups whose standing members decide. Empty: the account's owners and admins. */
  approver_groups: z.array(named),
  /** Where it is decided. */
  url: z.string(),
  decided_at: dateTime.nullable(),
  decided_by: named.nullable(),
  /** What who decided said. Empty: nothing. */
  note: z.string(),
  ends_at: dateTime.nullable(),
  ended_at: dateTime.nullable(),
  /** Why what was approved is over. */
  end_cause: z
    .enum(["time", "taken_back", "given_up", "rule_changed", "approver_gone", "requester_gone"])
    .nullable(),
  /** Whether the caller made it, may decide about it now, and may end it now. */
  is_own: z.boolean(),
  may_decide: z.boolean(),
  may_end: z.boolean(),
  /** Of all that a decision is about: it is sent with the decision, and refused when it changed. */
  digest: z.string(),
});
export type AccessRequest = z.infer<typeof AccessRequest>;

/** Body of POST /api/access/requests. */
export const AccessRequestWrite = z.object({
  kind: z.enum(["machine", "group"]),
  /** Of kind `machine`: its id, name, full name or address, and as whom. */
  machine: unlessNull(z.string().min(1).max(253)),
  local_user: unlessNull(LocalUser),
  /** A device of the caller. Absent: the one that the caller's login is on. */
  device: unlessNull(PeerId),
  /** Of kind `group`. */
  group: unlessNull(GroupId),
  /** Absent: the longest that can be approved. */
  seconds: unlessNull(seconds),
  /** Needed for a group, and where the rule asks for a reason. */
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
  /** Said to who asked. */
  note: unlessNull(AccessReason),
});
export type AccessDecision = z.infer<typeof AccessDecision>;

/** Query of GET /api/access/requests. */
export const AccessRequestsQuery = z.object({
  /** `own`: the caller's; `decide`: those that the caller may decide about. Absent: all that they may see. */
  which: z.enum(["own", "decide"]).optional(),
  /** Only those in this state. */
  state: AccessRequestState.optional(),
});
export type AccessRequestsQuery = z.infer<typeof AccessRequestsQuery>;

/** Query of GET /api/access/requests/{id}. */
export const AccessRequestQuery = z.object({
  /** Waits so long for a decision, if there is none yet. Default 0. */
  wait_seconds: count(DECISION_WAIT_SECONDS_MAX).optional(),
});
export type AccessRequestQuery = z.infer<typeof AccessRequestQuery>;

/** A group that the caller may ask to be in for a while, as GET /api/access/groups answers it. */
export const RequestableGroup = z.object({
  id: GroupId,
  name: z.string(),
  request_seconds_max: z.int(),
  approver_groups: z.array(named),
  /** Whether the caller is in it: without an end, or until when. Null: not. */
  member: z.union([z.literal("standing"), dateTime]).nullable(),
});
export type RequestableGroup = z.infer<typeof RequestableGroup>;
