/**
 * A rule as one sentence of plain English.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";

type Rule = Answer<"GET /api/policies">[number]["rules"][number];

/** `nameOf`: the name of a group by its id. */
export function ruleSentence(rule: Rule, nameOf: (id: string) => string): string {
  const from = sideOf(rule.sources, rule.sourceResource?.id);
  const to = sideOf(rule.destinations, rule.destinationResource?.id);
  if (rule.action === "drop") return `Nobody gets from ${from} to ${to}${endOf(rule)}.`;
  const people = Object.entries(rule.authorized_groups ?? {});
  if (rule.protocol !== "netbird-ssh") return `${from} reach ${to} by ${portsOf(rule)}${endOf(rule)}.`;
  if (people.length === 0) return `From ${from}, people may log in to ${to}${endOf(rule)}.`;
  const who = people.map(([group, users]) => `${nameOf(group)} may log in as ${namesOf(users)}`);
  return `From ${from}, ${listOf(who)} on ${to}${capabilitiesOf(rule)}${endOf(rule)}.`;
}

function sideOf(groups: Rule["sources"], resource: string | undefined): string {
  const names = (groups ?? []).map(({ name }) => (name === "All" ? "anywhere" : name));
  return names.length > 0 ? listOf(names) : (resource ?? "nowhere");
}

function namesOf(users: readonly string[]): string {
  if (users.length === 0) return "anybody";
  return listOf(
    users.map((user) => (user === "*" ? "anybody" : user)),
    "or",
  );
}

function portsOf({ protocol, ports, port_ranges }: Rule): string {
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
