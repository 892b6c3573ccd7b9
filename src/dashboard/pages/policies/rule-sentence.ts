/**
 * A rule as one sentence of plain English.
 *
 * @module
 */
import { isSshProtocol } from "../../../policy/decide/snapshot.ts";
import type { Answer } from "../../api/client.ts";

type Rule = Answer<"GET /api/policies">[number]["rules"][number];

const ANYBODY = "any local user";

/** `nameOf`: the name of a group by its id. */
export function ruleSentence(rule: Rule, nameOf: (id: string) => string): string {
  const from = sideOf(rule.sources, rule.sourceResource?.id);
  const to = sideOf(rule.destinations, rule.destinationResource?.id);
  const people = Object.entries(rule.authorized_groups ?? {});
  const isDrop = rule.action === "drop";
  if (!isSshProtocol(rule)) {
    return isDrop
      ? `${from} cannot reach ${to} by ${portsOf(rule)}${endOf(rule)}.`
      : `${from} can reach ${to} by ${portsOf(rule)}${endOf(rule)}.`;
  }
  const may = isDrop ? "may not log in" : "may log in";
  if (people.length === 0) {
    return isDrop
      ? `From ${from}, nobody may log in to ${to}${endOf(rule)}.`
      : `From ${from}, people may log in to ${to} as ${ANYBODY}${capabilitiesOf(rule)}${endOf(rule)}.`;
  }
  const who = people.map(([group, users]) => `${nameOf(group)} ${may} as ${namesOf(users)}`);
  return `From ${from}, ${listOf(who)} on ${to}${isDrop ? "" : capabilitiesOf(rule)}${endOf(rule)}.`;
}

function sideOf(groups: Rule["sources"], resource: string | undefined): string {
  const names = (groups ?? []).map(({ name }) => (name === "All" ? "anywhere" : name));
  return names.length > 0 ? listOf(names) : (resource ?? "nowhere");
}

function namesOf(users: readonly string[]): string {
  return users.includes("*") ? ANYBODY : listOf(users, "or");
}

function portsOf({ protocol, ports, port_ranges }: Rule): string {
  if (protocol === "all") return "every protocol";
  const ranges = (port_ranges ?? []).map(({ start, end }) => `${start} to ${end}`);
  const all = [...(ports ?? []), ...ranges];
  return all.length === 0 ? `${protocol}, every port` : `${protocol}, port ${listOf(all)}`;
}

function capabilitiesOf({ ssh }: Rule): string {
  const forwards = [...(ssh?.local_forward ?? [])].filter((one): one is string => typeof one === "string");
  return forwards.length === 0 ? "" : `, with forwarding to ${listOf(forwards)}`;
}

function endOf({ valid_until }: Rule): string {
  return valid_until === undefined
    ? ""
    : `, until ${new Date(valid_until * 1000).toISOString().slice(0, 16)}Z`;
}

function listOf(names: readonly string[], last = "and"): string {
  if (names.length <= 1) return names[0] ?? "";
  return `${names.slice(0, -1).join(", ")} ${last} ${names.at(-1)}`;
}
