/**
 * A rule as one sentence of plain English.
 *
 * @module
 */
import { isSshProtocol } from "../../../policy/decide/snapshot.ts";
import type { Answer } from "../../api/client.ts";
import type { FileRule } from "./policy-draft.ts";
import { capabilityClauses, interceptClauses, listOf, obligationClauses, timeClauses } from "./rule-words.ts";

type Rule = Answer<"GET /api/policies">[number]["rules"][number];

const ANYBODY = "any local user";

/** `nameOf` returns the name of a group by its id. */
export function ruleSentence(rule: Rule, nameOf: (id: string) => string): string {
  const names = (groups: Rule["sources"]) => (groups ?? []).map(({ name }) => name);
  const { sources, destinations, sourceResource, destinationResource, authorized_groups } = rule;
  const people = Object.entries(authorized_groups ?? {}).map(([id, users]) => [nameOf(id), users] as const);
  return sentenceOf({
    ...(rule as FileRule),
    ...(sourceResource ? { source_peer: sourceResource.id } : {}),
    ...(destinationResource ? { destination_peer: destinationResource.id } : {}),
    ...{ sources: names(sources), destinations: names(destinations) },
    ...(rule.source_devices ? { source_devices: rule.source_devices.map(nameOf) } : {}),
    ...(rule.allow_intercepted ? { allow_intercepted: rule.allow_intercepted.map(nameOf) } : {}),
    ...(rule.approver_groups ? { approver_groups: rule.approver_groups.map(nameOf) } : {}),
    authorized_groups: Object.fromEntries(people),
  });
}

/** The same for a rule of a policy file, which has names instead of ids. */
export function sentenceOf(rule: FileRule): string {
  const from = sideOf(rule.sources, rule.source_peer, "anywhere");
  const isDrop = rule.action === "drop";
  if (!isSshProtocol({ protocol: rule.protocol ?? "qufabric-ssh" })) return networkSentence(rule, from);
  const to = sideOf(rule.destinations, rule.destination_peer, "every machine");
  const devices = rule.source_devices?.length ? ` on devices in ${listOf(rule.source_devices, "or")}` : "";
  const start = `From ${from}${devices}`;
  const people = Object.entries(rule.authorized_groups ?? {});
  const end = clauses([
    ...(isDrop ? [] : capabilityClauses(rule.ssh)),
    ...(isDrop ? [] : interceptClauses(rule)),
    ...(isDrop ? [] : obligationClauses(rule)),
    ...timeClauses(rule),
  ]);
  const named = people.filter(([group, users]) => group !== "" && users.length > 0);
  if (people.length > 0 && named.length === 0)
    return "Nobody may log in by this yet: say who, as whom, and where.";
  if (people.length === 0) {
    return isDrop
      ? `${start}, nobody may log in to ${to}${end}.`
      : `${start}, people may log in to ${to} as ${ANYBODY}${end}.`;
  }
  const may = isDrop ? "may not log in" : "may log in";
  const who = named.map(([group, users]) => `${groupName(group)} ${may} as ${namesOf(users)}`);
  // If the only group that may log in is also the source, the sentence names it once.
  const isFromOwn = devices === "" && named.length === 1 && named[0]?.[0] === from;
  return `${isFromOwn ? "" : `${start}, `}${listOf(who)} on ${to}${end}.`;
}

function networkSentence(rule: FileRule, from: string): string {
  const to = sideOf(rule.destinations, rule.destination_peer, "anything");
  const verb = rule.action === "drop" ? "cannot reach" : "can reach";
  const both = rule.bidirectional === true ? ", and the other way round," : "";
  const users = rule.machine_local_users?.length
    ? [`as ${listOf(rule.machine_local_users, "or")} where machines sign in by themselves`]
    : [];
  const start = from === "anywhere" ? "Everything" : from;
  return `${start} ${verb} ${to}${both} by ${portsOf(rule)}${clauses([...users, ...timeClauses(rule)])}.`;
}

function sideOf(groups: FileRule["sources"], peer: string | undefined, all: string): string {
  if (peer !== undefined) return peer;
  const names = groups ?? [];
  return names.length === 0 ? "nowhere" : listOf(names.map((name) => (name === "All" ? all : name)));
}

function groupName(name: string): string {
  return name === "All" ? "everybody" : name;
}

function namesOf(users: readonly string[]): string {
  return users.includes("*") ? ANYBODY : listOf(users, "or");
}

function portsOf({ protocol, ports, port_ranges }: FileRule): string {
  if (protocol === "all") return "every protocol";
  if (protocol === "icmp") return "ping (icmp)";
  const ranges = (port_ranges ?? []).map(({ start, end }) => `${start} to ${end}`);
  const all = [...(ports ?? []).map(String), ...ranges];
  return all.length === 0 ? `${protocol}, every port` : `${protocol}, port ${listOf(all)}`;
}

function clauses(parts: readonly string[]): string {
  return parts.map((part) => `, ${part}`).join("");
}
