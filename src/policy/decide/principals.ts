/**
 * Principals of a certificate: the local users that policy grants this user on this machine now.
 *
 * @module
 */
import type { ReasonCode } from "../../wire/reason.ts";
import type { LocalUser } from "../../wire/units.ts";
import { decide } from "./decide.ts";
import type { AccessRequest, MachineFlags } from "./request.ts";
import { endsTime } from "./schedule.ts";
import { findUser, markUser, type PolicySnapshot } from "./snapshot.ts";

/** More names than this become the single `*`. The machine decides again anyway. */
const NAMES_MAX = 256;

/**
 * The names for a certificate: sorted, `["*"]` for any, empty when nothing is granted. Asked for a connection
 * only.
 */
export function principalsOf(
  request: Omit<AccessRequest, "localUser" | "action">,
  snapshot: PolicySnapshot,
): LocalUser[] {
  const user = findUser(snapshot.map, request.userId);
  if (user === undefined) return [];
  const marks = markUser(snapshot, user, endsTime(request));
  // The machine itself refuses what its flags forbid, with its own message.
  const flags = { ...request.flags, sshServer: true, sshRoot: true, privileged: true, recording: true };
  const names = new Set<LocalUser>();
  for (const rule of snapshot.rules) {
    if (!rule.isSsh || rule.isDrop || !rule.enabled || !rule.isDestination) continue;
    if (rule.keys.length === 0) names.add("*");
    for (const [key, list] of Object.entries(rule.rule.authorizedGroups)) {
      const index = snapshot.groupIndex.get(key);
      if (index === undefined || marks[index] !== 1) continue;
      for (const name of list) names.add(name);
    }
  }
  // Full access under `require_approval` is granted per name.
  for (const { userId, localUser } of snapshot.map.self.approvals ?? []) {
    if (userId === request.userId) names.add(localUser);
  }
  const grants = (localUser: LocalUser): boolean =>
    decide({ ...request, flags, localUser, action: { kind: "connect" } }, snapshot).kind === "allow";
  // `*` is not an OS user's name, so only rules that grant any local user grant it.
  if (names.has("*") && grants("*")) return ["*"];
  names.delete("*");
  const granted = [...names].filter(grants).sort();
  return granted.length > NAMES_MAX ? ["*"] : granted;
}

/**
 * Why policy does not let this person be that local user here, regardless of the machine's flags. Null: it
 * does. Used when a certificate does not name the user, so that the person gets the same reason from
 * everyone.
 */
export function denialOfPrincipal(
  request: Omit<AccessRequest, "action" | "flags" | "localUid">,
  snapshot: PolicySnapshot,
): ReasonCode | null {
  const action = { kind: "connect" } as const;
  const decision = decide({ ...request, action, localUid: null, flags: PERMISSIVE }, snapshot);
  return decision.kind === "deny" ? decision.reason : null;
}

const PERMISSIVE: MachineFlags = {
  sshServer: true,
  sshRoot: true,
  sshSftp: true,
  sshLocalForwarding: true,
  sshRemoteForwarding: true,
  privileged: true,
  ownUser: "",
  recording: true,
};
