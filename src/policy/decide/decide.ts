/**
 * Access decisions: may this user, from this device, be this local user on this machine, to do this?
 *
 * Everything here is a pure function of its arguments: no I/O, no clock, no throwing. Management
 * previews with the very code the agent enforces, so the two cannot disagree. Fails closed: a
 * decision is an allow only when one enabled rule, by itself, meets every condition, and no drop
 * matches. Order of rules never matters.
 *
 * Read `decide` first, then `judgeAccept`: its order of conditions is the order of `OUTCOME`.
 *
 * @module
 */
import type { Action, DecisionRecord, Grant } from "../../wire/decision.ts";
import type { MapPeer, MapUser } from "../../wire/network-map.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { RuleId } from "../../wire/units.ts";
import { denialOfAction } from "./capabilities.ts";
import { compareObligations, type Obligations, obligationsOf } from "./obligations.ts";
import { OUTCOME, type OutcomeCode, outcomeName } from "./outcomes.ts";
import type { AccessRequest, MachineFlags, PeerAccessRequest } from "./request.ts";
import { holdsUntil, isWithinSchedule, isWithinValidity } from "./schedule.ts";
import {
  findPeer,
  findUser,
  type GroupMarks,
  lists,
  localUserNumber,
  markDevice,
  markOwn,
  markUser,
  meets,
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

/** A person whom no rule speaks of. */
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

/**
 * The asker of a decision, as every rule is judged with it. `device` and its marks are null for an unmanaged
 * device.
 */
interface Asker {
  readonly request: AccessRequest;
  readonly snapshot: PolicySnapshot;
  /** Number of `request.localUser` in the snapshot. */
  readonly localUser: number;
  readonly user: MapUser;
  readonly userMarks: GroupMarks;
  readonly device: MapPeer | null;
  readonly deviceMarks: GroupMarks | null;
  readonly ownMarks: GroupMarks | null;
}

/** Decides `request` on `snapshot`. At most one pass over the rules. */
export function decide(request: AccessRequest, snapshot: PolicySnapshot): Decision {
  // A map holds only people its rules speak of. A person who is proven but not in it is in no group.
  const mapUser = findUser(snapshot.map, request.userId);
  const user = mapUser ?? { ...NOBODY, id: request.userId };
  if (user.status !== "active") return deny(user.status === "blocked" ? "user_blocked" : "user_pending");
  const device = request.devicePeerId === null ? null : findPeer(snapshot.map, request.devicePeerId);
  if (device === undefined) return deny(mapUser === undefined ? "peer_not_authorized" : "device_unknown");
  if (device !== null && device.status !== "active") {
    return deny(device.status === "blocked" ? "device_blocked" : "device_pending");
  }
  if (!snapshot.map.self.sshEnabled || !request.flags.sshServer) return deny("ssh_disabled");
  const asker: Asker = {
    request,
    snapshot,
    localUser: localUserNumber(snapshot, request.localUser),
    user,
    userMarks: markUser(snapshot, user),
    device,
    deviceMarks: device === null ? null : markDevice(snapshot, device),
    ownMarks: device === null ? null : markOwn(snapshot, device),
  };
  return judgeAll(request, snapshot, (rule) => judgeForUser(rule, asker));
}

/**
 * Decides for a peer by itself (`--disable-ssh-auth`): `tcp` rules over 22 and `all` rules let the
 * source peer in, SSH rules open nothing. uid 0 needs its flag and a rule that names 22 or the user.
 * What the account requires of every grant holds here too, and a peer can meet none of it but recording.
 */
export function decidePeer(request: PeerAccessRequest, snapshot: PolicySnapshot): Decision {
  const peer = findPeer(snapshot.map, request.sourcePeerId);
  if (peer === undefined) return deny("device_unknown");
  if (peer.status !== "active") return deny(peer.status === "blocked" ? "device_blocked" : "device_pending");
  if (!snapshot.map.self.sshEnabled || !request.flags.sshServer) return deny("ssh_disabled");
  const marks = markDevice(snapshot, peer);
  const own = markOwn(snapshot, peer);
  const localUser = localUserNumber(snapshot, request.localUser);
  const asker: PeerAsker = { request, snapshot, localUser, peer, marks, own };
  return judgeAll(request, snapshot, (rule) => judgeForPeer(rule, asker));
}

/** Judges every rule once, keeps the least obliging grant, lets any drop and the machine itself win. */
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
  return { kind: "allow", grant: grantOf(best.rule, best.obligations, request), trace };
}

function judgeForUser(rule: PreparedRule, asker: Asker): OutcomeCode {
  if (!rule.enabled) return OUTCOME.disabled;
  if (rule.isDrop) return judgeDrop(rule, asker);
  if (!rule.isSsh || !rule.coversSsh) return OUTCOME.other_protocol;
  if (!rule.isDestination) return OUTCOME.not_destination;
  return judgeAccept(rule, asker);
}

/** An accept rule for SSH to this machine: user, device, local user, conditions, obligations, capability. */
function judgeAccept(rule: PreparedRule, asker: Asker): OutcomeCode {
  const { request, device, deviceMarks, ownMarks } = asker;
  if (!userMeets(rule, asker)) return OUTCOME.user_not_in_groups;
  if (device === null || deviceMarks === null || ownMarks === null) {
    if (rule.rule.capabilities.allow_unmanaged_devices !== true) return OUTCOME.unmanaged_device;
  } else {
    if (!deviceMeets(rule, device, deviceMarks)) return OUTCOME.device_not_in_sources;
    if (rule.sourceDevices.length > 0 && !meets(ownMarks, rule.sourceDevices))
      return OUTCOME.device_not_in_source_devices;
  }
  if (!localUserMeets(rule, asker)) return OUTCOME.local_user_not_listed;
  if (!postureMeets(rule, device)) return OUTCOME.posture_failed;
  return judgeObligations(rule, asker) ?? judgeAction(request.action, rule, request.flags);
}

function judgeObligations(rule: PreparedRule, asker: Asker): OutcomeCode | null {
  const { request, snapshot } = asker;
  if (!isWithinValidity(rule.rule, request.nowSeconds)) return OUTCOME.outside_validity;
  if (!isWithinSchedule(rule.rule.schedule, request.nowSeconds)) return OUTCOME.outside_schedule;
  const obligations = obligationsOf(rule.rule.capabilities, snapshot.map.settings.require);
  if (obligations.reauthWithinSeconds !== null) {
    if (request.authTimeSeconds === null) return OUTCOME.reauth_unprovable;
    if (request.nowSeconds >= request.authTimeSeconds + obligations.reauthWithinSeconds)
      return OUTCOME.reauth_required;
  }
  if (obligations.reason && request.reason === "") return OUTCOME.reason_required;
  if (obligations.approval) return OUTCOME.approval_required;
  if (obligations.record === "required" && !request.flags.recording) return OUTCOME.recording_unavailable;
  return null;
}

/** Full access: the user is in the rule's sources (or owns its source peer); else in one of its keys. */
function userMeets(rule: PreparedRule, { userMarks, user, snapshot }: Asker): boolean {
  if (rule.keys.length > 0) return meets(userMarks, rule.keys);
  if (rule.rule.sourcePeerId === null) return meets(userMarks, rule.sources);
  return findPeer(snapshot.map, rule.rule.sourcePeerId)?.ownerUserId === user.id;
}

function deviceMeets(rule: PreparedRule, device: MapPeer, marks: GroupMarks): boolean {
  return rule.rule.sourcePeerId === null ? meets(marks, rule.sources) : rule.rule.sourcePeerId === device.id;
}

/** Only the lists of keys this user is in count; full access lists nobody and means anybody. */
function localUserMeets(rule: PreparedRule, { userMarks, localUser }: Asker): boolean {
  if (rule.keys.length === 0) return true;
  for (let i = 0; i < rule.keys.length; i++) {
    if (userMarks[rule.keys[i] as number] === 1 && lists(rule.keyLocalUsers[i], localUser)) return true;
  }
  return false;
}

/** An unmanaged device proves no posture. */
function postureMeets(rule: PreparedRule, device: MapPeer | null): boolean {
  return rule.rule.postureChecks.every((check) => device?.posturePassed.includes(check) === true);
}

/**
 * A drop matches when user or device is in its sources or keys, narrowed by the local users it
 * lists and by `source_devices`. A tcp or `all` drop over 22 stops SSH as well.
 */
function judgeDrop(rule: PreparedRule, asker: Asker): OutcomeCode {
  const { request, localUser, device, deviceMarks, ownMarks, userMarks, user, snapshot } = asker;
  if (!rule.coversSsh) return OUTCOME.other_protocol;
  if (!rule.isDestination) return OUTCOME.not_destination;
  if (!isWithinValidity(rule.rule, request.nowSeconds)) return OUTCOME.drop_not_matching;
  if (!isWithinSchedule(rule.rule.schedule, request.nowSeconds)) return OUTCOME.drop_not_matching;
  const ownsSource =
    rule.rule.sourcePeerId !== null &&
    findPeer(snapshot.map, rule.rule.sourcePeerId)?.ownerUserId === user.id;
  const counted = rule.isReverse ? ownMarks : deviceMarks;
  const byDevice = device !== null && counted !== null && deviceMeets(rule, device, counted);
  const bySource = byDevice || (!rule.isReverse && (meets(userMarks, rule.sources) || ownsSource));
  const byKey = meets(userMarks, rule.keys) || (deviceMarks !== null && meets(deviceMarks, rule.keys));
  if (!bySource && !byKey) return OUTCOME.drop_not_matching;
  // An unmanaged device cannot show that it is outside of `source_devices`, so it counts as inside.
  if (rule.sourceDevices.length > 0 && ownMarks !== null && !meets(ownMarks, rule.sourceDevices))
    return OUTCOME.drop_not_matching;
  if (rule.keys.length === 0) return OUTCOME.dropped;
  const listed = rule.keyLocalUsers.some((list) => lists(list, localUser));
  return listed ? OUTCOME.dropped : OUTCOME.drop_not_matching;
}

interface PeerAsker {
  readonly request: PeerAccessRequest;
  readonly snapshot: PolicySnapshot;
  readonly localUser: number;
  readonly peer: MapPeer;
  readonly marks: GroupMarks;
  readonly own: GroupMarks;
}

function judgeForPeer(rule: PreparedRule, asker: PeerAsker): OutcomeCode {
  const { request, localUser, peer, marks, own } = asker;
  if (!rule.enabled) return OUTCOME.disabled;
  if (!rule.coversSsh) return OUTCOME.other_protocol;
  if (!rule.isDestination) return OUTCOME.not_destination;
  const timely =
    isWithinValidity(rule.rule, request.nowSeconds) &&
    isWithinSchedule(rule.rule.schedule, request.nowSeconds);
  const inSources = deviceMeets(rule, peer, rule.isReverse ? own : marks);
  const inSourceDevices = rule.sourceDevices.length === 0 || meets(own, rule.sourceDevices);
  if (rule.isDrop) {
    // A drop of people's SSH stops their peers as well, for the local users it lists.
    const listed = rule.keys.length === 0 || rule.keyLocalUsers.some((list) => lists(list, localUser));
    return timely && inSources && inSourceDevices && listed ? OUTCOME.dropped : OUTCOME.drop_not_matching;
  }
  if (rule.isSsh) return OUTCOME.other_protocol;
  if (!inSources) return OUTCOME.device_not_in_sources;
  if (!inSourceDevices) return OUTCOME.device_not_in_source_devices;
  const names = rule.rule.machineLocalUsers;
  if (names !== null && !names.includes(request.localUser)) return OUTCOME.local_user_not_listed;
  if (isRoot(request.localUser, request.localUid) && names === null && !namesSsh(rule))
    return OUTCOME.local_user_not_listed;
  if (!postureMeets(rule, peer)) return OUTCOME.posture_failed;
  if (!timely)
    return isWithinValidity(rule.rule, request.nowSeconds)
      ? OUTCOME.outside_schedule
      : OUTCOME.outside_validity;
  return judgePeerObligations(rule, asker) ?? judgeAction(request.action, rule, request.flags);
}

/** A peer has no sign-in to repeat, no reason to give and nobody who approves, so each of these denies it. */
function judgePeerObligations(rule: PreparedRule, { request, snapshot }: PeerAsker): OutcomeCode | null {
  const obligations = obligationsOf(rule.rule.capabilities, snapshot.map.settings.require);
  if (obligations.reauthWithinSeconds !== null) return OUTCOME.reauth_unprovable;
  if (obligations.reason) return OUTCOME.reason_required;
  if (obligations.approval) return OUTCOME.approval_required;
  if (obligations.record === "required" && !request.flags.recording) return OUTCOME.recording_unavailable;
  return null;
}

/** Whether the rule names port 22 itself, rather than every port there is. */
function namesSsh(rule: PreparedRule): boolean {
  return rule.rule.protocol === "tcp" && rule.rule.ports.length > 0;
}

function judgeAction(action: Action, rule: PreparedRule, flags: MachineFlags): OutcomeCode {
  return OUTCOME[denialOfAction(action, rule.rule.capabilities, flags) ?? "granted"];
}

/** The machine's own refusal, whatever the rules say. */
function denialByMachine(request: AccessRequest | PeerAccessRequest): ReasonCode | null {
  const { localUser, localUid, flags } = request;
  if (isRoot(localUser, localUid) && !flags.sshRoot) return "root_disabled";
  if (!flags.privileged && localUser !== flags.ownUser) return "rootless_other_user";
  return null;
}

function isRoot(localUser: string, localUid: number | null): boolean {
  return localUid === null ? localUser === "root" : localUid === 0;
}

function grantOf(
  rule: PreparedRule,
  obligations: Obligations,
  request: AccessRequest | PeerAccessRequest,
): Grant {
  const ends: number[] = [];
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

/** The one reason a denial gives: that of the rule which came nearest to a grant. */
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

/** The decision as it is stored: trace unrolled, one entry per rule. */
export function recordOf(decision: Decision): DecisionRecord {
  const { ruleIds, outcomes } = decision.trace;
  return {
    outcome: decision.kind,
    reason: decision.kind === "deny" ? decision.reason : null,
    ruleId: decision.kind === "allow" ? decision.grant.ruleId : null,
    trace: ruleIds.map((ruleId, i) => ({ ruleId, outcome: outcomeName(outcomes[i] ?? OUTCOME.disabled) })),
  };
}
