/**
 * Principals of a certificate: the local users that policy grants this user on this machine now.
 *
 * @module
 */
import type { LocalUser } from "../../wire/units.ts";
import { decide } from "./decide.ts";
import type { AccessRequest } from "./request.ts";
import { findUser, markUser, type PolicySnapshot } from "./snapshot.ts";

/** More names than this become the single `*`; the machine decides again anyway. */
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
  const marks = markUser(snapshot, user);
  // What the machine's own flags refuse is left to the machine, which says so in its own words.
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
  const grants = (localUser: LocalUser): boolean =>
    decide({ ...request, flags, localUser, action: { kind: "connect" } }, snapshot).kind === "allow";
  // `*` is no OS user's name, so it is granted only by rules that grant anybody.
  if (names.has("*") && grants("*")) return ["*"];
  names.delete("*");
  const granted = [...names].filter(grants).sort();
  return granted.length > NAMES_MAX ? ["*"] : granted;
}
