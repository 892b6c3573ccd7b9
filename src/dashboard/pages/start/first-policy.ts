/**
 * The first policy, chosen from three options: one rule for every machine.
 *
 * @module
 */
import type { FilePolicy } from "../policies/policy-draft.ts";

export type FirstChoice = "me" | "team" | "everybody";

export interface FirstPolicy {
  readonly choice: FirstChoice;
  /** Name of the team's group. */
  readonly team: string;
  /** Empty for any local user. */
  readonly localUsers: readonly string[];
}

const ADMINISTRATORS = "Administrators";
const EVERYBODY = "All";

/** The group of people that the policy is for. */
export function groupOf({ choice, team }: FirstPolicy): string {
  if (choice === "everybody") return EVERYBODY;
  return choice === "me" ? ADMINISTRATORS : team.trim();
}

/** Whether the policy can be created. A policy that lets everyone be any local user never can. */
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
