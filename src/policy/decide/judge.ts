/**
 * The outcome of one rule for one requester: the first condition that does not hold, or a grant.
 *
 * Pure, like all of `policy/`. Conditions are tested in the order of `RULE_OUTCOMES`, so that a denial's
 * reason is that of the rule that came nearest to a grant. Read `judgeAccept` first.
 *
 * @module
 */
import type { Action } from "../../wire/decision.ts";
import type { MapPeer, MapUser } from "../../wire/network-map.ts";
import { denialOfAction } from "./capabilities.ts";
import { isRecordable, type Obligations, obligationsOf } from "./obligations.ts";
import { OUTCOME, type OutcomeCode } from "./outcomes.ts";
import type { AccessRequest, MachineFlags, PeerAccessRequest } from "./request.ts";
import { endsTime, isWithinSchedule, isWithinValidity } from "./schedule.ts";
import {
  findApproval,
  findPeer,
  type GroupMarks,
  lists,
  meets,
  type PolicySnapshot,
  type PreparedRule,
} from "./snapshot.ts";

/** A person, prepared for evaluating every rule. `device` and its marks are null for an unmanaged device. */
export interface UserAsker {
  readonly request: AccessRequest;
  readonly snapshot: PolicySnapshot;
  /** Number of `request.localUser` in the snapshot. */
  readonly localUser: number;
  readonly user: MapUser;
  readonly userMarks: GroupMarks;
  readonly device: MapPeer | null;
  readonly deviceMarks: GroupMarks | null;
  readonly ownMarks: GroupMarks | null;
  /** Own groups of the machine that intercepted the person's program. Null: not intercepted. */
  readonly interceptorMarks: GroupMarks | null;
}

/** Evaluates a rule for a person. */
export function judgeForUser(rule: PreparedRule, asker: UserAsker): OutcomeCode {
  if (!rule.enabled) return OUTCOME.disabled;
  if (rule.isDrop) return judgeDrop(rule, asker);
  if (!rule.isSsh || !rule.coversSsh) return OUTCOME.other_protocol;
  if (!rule.isDestination) return OUTCOME.not_destination;
  return judgeAccept(rule, asker);
}

/** An accept rule for SSH to this machine: user, device, local user, conditions, obligations, capability. */
function judgeAccept(rule: PreparedRule, asker: UserAsker): OutcomeCode {
  const { request, device, deviceMarks, ownMarks } = asker;
  if (!userMeets(rule, asker)) return OUTCOME.user_not_in_groups;
  if (device === null || deviceMarks === null || ownMarks === null) {
    if (!unmanagedMeets(rule, asker)) return OUTCOME.unmanaged_device;
  } else {
    if (!deviceMeets(rule, device, deviceMarks)) return OUTCOME.device_not_in_sources;
    if (rule.sourceDevices.length > 0 && !meets(ownMarks, rule.sourceDevices))
      return OUTCOME.device_not_in_source_devices;
    if (device.isBrowser === true && rule.rule.capabilities.allow_browsers === false)
      return OUTCOME.browser_not_allowed;
  }
  if (!localUserMeets(rule, asker)) return OUTCOME.local_user_not_listed;
  if (!postureMeets(rule, device)) return OUTCOME.posture_failed;
  return judgeObligations(rule, asker) ?? judgeAction(request.action, rule, request.flags);
}

function judgeObligations(rule: PreparedRule, asker: UserAsker): OutcomeCode | null {
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
  if (obligations.approval && !isApproved(rule, asker)) return OUTCOME.approval_required;
  return judgeRecording(obligations, request);
}

/** A required recording denies actions that cannot be recorded: on this machine at the moment, or at all. */
function judgeRecording(
  { record }: Obligations,
  { action, flags }: Pick<AccessRequest, "action" | "flags">,
): OutcomeCode | null {
  if (record !== "required") return null;
  if (!flags.recording) return OUTCOME.recording_unavailable;
  return isRecordable(action) ? null : OUTCOME.not_recordable;
}

function isApproved(rule: PreparedRule, { request, snapshot, user, device }: UserAsker): boolean {
  if (device === null) return false;
  const about = {
    ruleId: rule.id,
    userId: user.id,
    devicePeerId: device.id,
    localUser: request.localUser,
  };
  return findApproval(snapshot, about, endsTime(request)) !== undefined;
}

/**
 * Full access: the user is in the rule's sources (or owns its source peer). Otherwise: in one of its keys.
 */
function userMeets(rule: PreparedRule, { userMarks, user, snapshot }: UserAsker): boolean {
  if (rule.keys.length > 0) return meets(userMarks, rule.keys);
  if (rule.rule.sourcePeerId === null) return meets(userMarks, rule.sources);
  return findPeer(snapshot.map, rule.rule.sourcePeerId)?.ownerUserId === user.id;
}

function deviceMeets(rule: PreparedRule, device: MapPeer, marks: GroupMarks): boolean {
  return rule.rule.sourcePeerId === null ? meets(marks, rule.sources) : rule.rule.sourcePeerId === device.id;
}

/** Unmanaged device: the rule must accept any client, or streams intercepted by that machine. */
function unmanagedMeets(rule: PreparedRule, { interceptorMarks }: UserAsker): boolean {
  if (rule.rule.capabilities.allow_unmanaged_devices === true) return true;
  return interceptorMarks !== null && meets(interceptorMarks, rule.allowIntercepted);
}

/** Only lists of keys that this user is in count. Full access has no lists and means any local user. */
function localUserMeets(rule: PreparedRule, { userMarks, localUser }: UserAsker): boolean {
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
function judgeDrop(rule: PreparedRule, asker: UserAsker): OutcomeCode {
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

/** A peer acting for itself, prepared for evaluating every rule. */
export interface PeerAsker {
  readonly request: PeerAccessRequest;
  readonly snapshot: PolicySnapshot;
  readonly localUser: number;
  readonly peer: MapPeer;
  readonly marks: GroupMarks;
  readonly own: GroupMarks;
}

/** Evaluates a rule for a peer acting for itself (`--disable-ssh-auth`): SSH rules open nothing. */
export function judgeForPeer(rule: PreparedRule, asker: PeerAsker): OutcomeCode {
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
    // A drop of people's SSH stops their peers too, for the local users it lists.
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

/** A peer cannot repeat a sign-in, give a reason or get an approval, so each of these denies it. */
function judgePeerObligations(rule: PreparedRule, { request, snapshot }: PeerAsker): OutcomeCode | null {
  const obligations = obligationsOf(rule.rule.capabilities, snapshot.map.settings.require);
  if (obligations.reauthWithinSeconds !== null) return OUTCOME.reauth_unprovable;
  if (obligations.reason) return OUTCOME.reason_required;
  if (obligations.approval) return OUTCOME.approval_required;
  return judgeRecording(obligations, request);
}

/** Whether the rule names port 22 itself, not just every port. */
function namesSsh(rule: PreparedRule): boolean {
  return rule.rule.protocol === "tcp" && rule.rule.ports.length > 0;
}

function judgeAction(action: Action, rule: PreparedRule, flags: MachineFlags): OutcomeCode {
  return OUTCOME[denialOfAction(action, rule.rule.capabilities, flags) ?? "granted"];
}

/** Whether uid 0 is requested. Without a uid (management), only the name `root` counts. */
export function isRoot(localUser: string, localUid: number | null): boolean {
  return localUid === null ? localUser === "root" : localUid === 0;
}
