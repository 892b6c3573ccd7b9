/**
 * The first policy by three choices, as one rule over every machine.
 *
 * @module
 */
import type { FilePolicy } from "../policies/policy-draft.ts";

export type FirstChoice = "me" | "team" | "everybody";

export interface FirstPolicy {
  readonly choice: FirstChoice;
  /** Of a team. */
  readonly team: string;
  /** Empty: whatever local user there is. */
  readonly localUsers: readonly string[];
}

const ADMINISTRATORS = "Administrators";
const EVERYBODY = "All";

/** The group of people that it is for. */
export function groupOf({ choice, team }: FirstPolicy): string {
  if (choice === "everybody") return EVERYBODY;
  return choice === "me" ? ADMINISTRATORS : team.trim();
}

/** Whether there is enough to go on. Everybody as whoever they like is never a first policy. */
export function isComplete(policy: FirstPolicy): boolean {
  return groupOf(policy) !== "" && (policy.choice !== "everybody" || policy.localUsers.length > 0);
}

export function policyFor(policy: FirstPolicy): FilePolicy {
  const group = groupOf(policy);
  const users = policy.localUsers.length === 0 ? ["*"] : [...policy.localUsers];
  return {
    name: group === EVERYBODY ? "Everybody on every machine" : `${group} on every machine`,
    rules: [{ sources: [EVERYBODY], destinations: [EVERYBODY], authorized_groups: { [group]: users } }],
  };
}
