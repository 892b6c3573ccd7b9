/**
 * Access decisions: may this user, from this device, be this local user on this machine, to do this?
 *
 * Everything here is a pure function of its arguments: no I/O, no clock, no throwing. Management previews
 * with the same code that the agent enforces, so the two cannot disagree. It fails closed: the decision is
 * allow only when one enabled rule alone meets every condition and no drop matches. The order of rules does
 * not matter.
 *
 * Read `decide` first, then `judge.ts` for the conditions of one rule.
 *
 * @module
 */
import type { DecisionRecord, Grant } from "../../wire/decision.ts";
import type { MapUser } from "../../wire/network-map.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { RuleId } from "../../wire/units.ts";
import { isRoot, judgeForPeer, judgeForUser, type PeerAsker, type UserAsker } from "./judge.ts";
import { compareObligations, type Obligations, obligationsOf } from "./obligations.ts";
import { OUTCOME, type OutcomeCode, outcomeName } from "./outcomes.ts";
import type { AccessRequest, PeerAccessRequest } from "./request.ts";
import { endsTime, holdsUntil } from "./schedule.ts";
import {
  findApproval,
  findPeer,
  findUser,
  type GroupMarks,
  localUserNumber,
  markDevice,
  markOwn,
  markUser,
  nextGroupEnd,
  type PolicySnapshot,
  type PreparedRule,
} from "./snapshot.ts";

/**
 * The outcome of every rule: codes of `OUTCOME` beside the rule ids of the snapshot. `recordOf` names them.
 */
export interface RawTrace {
  readonly ruleIds: readonly RuleId[];
  readonly outcomes: Uint8Array;
}

/**
 * The answer to a request: an allow with the grant of one rule, or a deny with one reason, and the trace of
 * every rule.
 */
export type Decision =
  | { readonly kind: "allow"; readonly grant: Grant; readonly trace: RawTrace }
  | { readonly kind: "deny"; readonly reason: ReasonCode; readonly trace: RawTrace };

const NO_TRACE: RawTrace = { ruleIds: [], outcomes: new Uint8Array(0) };

/** A person whom no rule concerns. */
const NOBODY: MapUser = {
  id: "",
  issuer: "",
  subject: "",
  name: "",
  email: "",
  status: "active",
  isService: false,
  groups: [],
};

/** Decides `request` on `snapshot`. At most one pass over the rules. */
export function decide(request: AccessRequest, snapshot: PolicySnapshot): Decision {
  // A map holds only people its rules concern. A proven person who is not in it has no groups.
  const mapUser = findUser(snapshot.map, request.userId);
  const user = mapUser ?? { ...NOBODY, id: request.userId };
  if (user.status !== "active") return deny(user.status === "blocked" ? "user_blocked" : "user_pending");
  if (!snapshot.map.self.sshEnabled || !request.flags.sshServer) return deny("ssh_disabled");
  const device = request.devicePeerId === null ? null : findPeer(snapshot.map, request.devicePeerId);
  if (device === undefined) return deny(mapUser === undefined ? "peer_not_authorized" : "device_unknown");
  if (device !== null && device.status !== "active") {
    return deny(device.status === "blocked" ? "device_blocked" : "device_pending");
  }
  const ends = endsTime(request);
  const asker: UserAsker = {
    request,
    snapshot,
    localUser: localUserNumber(snapshot, request.localUser),
    user,
    userMarks: markUser(snapshot, user, ends),
    device,
    deviceMarks: device === null ? null : markDevice(snapshot, device, ends),
    ownMarks: device === null ? null : markOwn(snapshot, device),
    interceptorMarks: interceptorMarks(request, snapshot),
  };
  return judgeAll(request, snapshot, (rule) => judgeForUser(rule, asker));
}

/** Only for an active machine; a blocked one cannot bring other programs. */
function interceptorMarks({ interceptedBy }: AccessRequest, snapshot: PolicySnapshot): GroupMarks | null {
  const machine = interceptedBy === undefined ? undefined : findPeer(snapshot.map, interceptedBy);
  return machine?.kind === "machine" && machine.status === "active" ? markOwn(snapshot, machine) : null;
}

/**
 * Decides for a peer by itself (`--disable-ssh-auth`): `tcp` rules over 22 and `all` rules let the
 * source peer in, SSH rules open nothing. uid 0 needs its flag and a rule that names 22 or the user.
 * What the account requires of every grant holds here too, and a peer can meet none of it but recording.
 */
export function decidePeer(request: PeerAccessRequest, snapshot: PolicySnapshot): Decision {
  if (!snapshot.map.self.sshEnabled || !request.flags.sshServer) return deny("ssh_disabled");
  const peer = findPeer(snapshot.map, request.sourcePeerId);
  if (peer === undefined) return deny("device_unknown");
  if (peer.status !== "active") return deny(peer.status === "blocked" ? "device_blocked" : "device_pending");
  const marks = markDevice(snapshot, peer, endsTime(request));
  const own = markOwn(snapshot, peer);
  const localUser = localUserNumber(snapshot, request.localUser);
  const asker: PeerAsker = { request, snapshot, localUser, peer, marks, own };
  return judgeAll(request, snapshot, (rule) => judgeForPeer(rule, asker));
}

/**
 * Evaluates every rule once and keeps the grant with the fewest obligations. Any drop, and the machine's own
 * refusal, wins.
 */
function judgeAll(
  request: AccessRequest | PeerAccessRequest,
  snapshot: PolicySnapshot,
  judge: (rule: PreparedRule) => OutcomeCode,
): Decision {
  const { rules, ruleIds } = snapshot;
  const outcomes = new Uint8Array(rules.length);
  let best: { rule: PreparedRule; obligations: Obligations } | undefined;
  let dropped = false;
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i] as PreparedRule;
    const outcome = judge(rule);
    outcomes[i] = outcome;
    if (outcome === OUTCOME.dropped) dropped = true;
    if (outcome !== OUTCOME.granted) continue;
    const obligations = obligationsOf(rule.rule.capabilities, snapshot.map.settings.require);
    // Rules come in id order, so a tie keeps the lower id.
    if (best === undefined || compareObligations(obligations, best.obligations) < 0)
      best = { rule, obligations };
  }
  const trace: RawTrace = { ruleIds, outcomes };
  if (dropped) return { kind: "deny", reason: "denied_by_rule", trace };
  if (best === undefined) return { kind: "deny", reason: reasonOf(outcomes, request, snapshot), trace };
  const machine = denialByMachine(request);
  if (machine !== null) return { kind: "deny", reason: machine, trace };
  return { kind: "allow", grant: grantOf(best.rule, best.obligations, { request, snapshot }), trace };
}

/** The machine's own refusal, regardless of rules. */
function denialByMachine(request: AccessRequest | PeerAccessRequest): ReasonCode | null {
  const { localUser, localUid, flags } = request;
  if (isRoot(localUser, localUid) && !flags.sshRoot) return "root_disabled";
  if (!flags.privileged && localUser !== flags.ownUser) return "rootless_other_user";
  return null;
}

function grantOf(
  rule: PreparedRule,
  obligations: Obligations,
  { request, snapshot }: { request: AccessRequest | PeerAccessRequest; snapshot: PolicySnapshot },
): Grant {
  const ends: number[] = "userId" in request ? endsOfUser(rule, obligations, { request, snapshot }) : [];
  const until = holdsUntil(rule.rule, request.nowSeconds);
  if (until !== null) ends.push(until);
  if (
    obligations.reauthWithinSeconds !== null &&
    "authTimeSeconds" in request &&
    request.authTimeSeconds !== null
  ) {
    ends.push(request.authTimeSeconds + obligations.reauthWithinSeconds);
  }
  return {
    ruleId: rule.id,
    capabilities: { ...rule.rule.capabilities, record: obligations.record },
    validUntilSeconds: ends.length === 0 ? null : Math.min(...ends),
  };
}

/** When temporary rights of the person end: the approval, and memberships that may have counted. */
function endsOfUser(
  rule: PreparedRule,
  obligations: Obligations,
  { request, snapshot }: { request: AccessRequest; snapshot: PolicySnapshot },
): number[] {
  const { userId, devicePeerId, localUser } = request;
  const now = endsTime(request);
  const user = findUser(snapshot.map, userId);
  const membership = user === undefined ? null : nextGroupEnd(user, now);
  const approval =
    obligations.approval && devicePeerId !== null
      ? findApproval(snapshot, { ruleId: rule.id, userId, devicePeerId, localUser }, now)
      : undefined;
  return [membership, approval?.untilSeconds ?? null].filter((end) => end !== null);
}

/** The single reason of a denial: that of the rule that came nearest to a grant. */
function reasonOf(
  outcomes: Uint8Array,
  request: AccessRequest | PeerAccessRequest,
  snapshot: PolicySnapshot,
): ReasonCode {
  let nearest = 0;
  for (let i = 0; i < outcomes.length; i++) nearest = Math.max(nearest, outcomes[i] as number);
  const outcome = outcomeName(nearest);
  switch (outcome) {
    case "device_not_in_sources":
    case "device_not_in_source_devices":
      return "device_not_authorized";
    case "local_user_not_listed":
      if (!("userId" in request)) return "root_not_named";
      return snapshot.mappedLocalUsers.has(localUserNumber(snapshot, request.localUser))
        ? "local_user_not_authorized"
        : "local_user_unmapped";
    case "outside_validity":
      return "outside_schedule";
    case "granted":
    case "disabled":
    case "other_protocol":
    case "not_destination":
    case "drop_not_matching":
    case "user_not_in_groups":
    case "dropped":
      return "peer_not_authorized";
    default:
      return outcome;
  }
}

function deny(reason: ReasonCode): Decision {
  return { kind: "deny", reason, trace: NO_TRACE };
}

/** The decision as stored, with the trace unrolled to one entry per rule. */
export function recordOf(decision: Decision): DecisionRecord {
  const { ruleIds, outcomes } = decision.trace;
  return {
    outcome: decision.kind,
    reason: decision.kind === "deny" ? decision.reason : null,
    ruleId: decision.kind === "allow" ? decision.grant.ruleId : null,
    trace: ruleIds.map((ruleId, i) => ({ ruleId, outcome: outcomeName(outcomes[i] ?? OUTCOME.disabled) })),
  };
}
