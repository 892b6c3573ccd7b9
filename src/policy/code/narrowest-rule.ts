/**
 * The narrowest rule that would have allowed what was denied: one group, one machine, one local user.
 *
 * It is a draft. Rules name groups, so everybody in the group gains the access; the smallest group of the
 * person is taken.
 *
 * @module
 */
import type { AccountPolicy, AccountRule, PolicyAccount } from "../../wire/policy-account.ts";
import type { GroupId } from "../../wire/units.ts";
import { createQuestions, type Question } from "./questions.ts";

/** Stands for ids that the draft does not have yet. */
const DRAFT = "00000000000000000000";

/** Null: no new rule would allow it, as where a `drop` denies, or the machine does not permit it at all. */
export function narrowestRule(account: PolicyAccount, denied: Question): AccountRule | null {
  const group = smallestGroup(account, denied.userId);
  if (group === null) return null;
  const rule: AccountRule = {
    ...{ id: DRAFT, name: "", enabled: true, bidirectional: false },
    ...{ action: "accept", protocol: "qufabric-ssh", sources: [group] },
    destinationResource: { id: denied.machinePeerId, type: "peer" },
    authorized_groups: { [group]: [denied.localUser] },
  };
  const policy: AccountPolicy = {
    ...{ id: DRAFT, name: "", description: null, enabled: true },
    ...{ sourcePostureChecks: [], rules: [rule] },
  };
  const draft = { ...account, policies: [...account.policies, policy] };
  return createQuestions(draft).ask(denied)?.decision.kind === "allow" ? rule : null;
}

/** The group of the person with the fewest people in it; of equals, the first by name. */
function smallestGroup({ users, groups }: PolicyAccount, userId: string): GroupId | null {
  const own = new Set(users.find(({ id }) => id === userId)?.groups ?? []);
  const people = new Map<GroupId, number>();
  for (const user of users) {
    for (const group of user.groups) if (own.has(group)) people.set(group, (people.get(group) ?? 0) + 1);
  }
  const sized = groups
    .filter(({ id }) => own.has(id))
    .sort((a, b) => (people.get(a.id) ?? 0) - (people.get(b.id) ?? 0) || (a.name < b.name ? -1 : 1));
  // `All` is in every account, and may be as small as another.
  return (sized.find(({ isAll }) => !isAll) ?? sized[0])?.id ?? null;
}
