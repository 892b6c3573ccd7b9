/**
 * Resolves a policy file's rules to an account's, keeping the ids of existing rules.
 *
 * @module
 */
import type { AccountRule } from "../../wire/policy-account.ts";
import type { PolicyFileRule } from "../../wire/policy-file.ts";
import type { Faults } from "./faults.ts";
import type { AccountNames, Naming } from "./names.ts";
import { faultOfRule } from "./rule-faults.ts";

/** Where the rules are in the file, and where their names are looked up. */
export interface RuleContext {
  /** Path of the policy in the file. */
  readonly at: string;
  readonly policyId: string;
  readonly names: AccountNames;
  readonly faults: Faults;
}

type RuleBody = Omit<AccountRule, "id">;

/**
 * Resolves the rules of one policy. A rule with the meaning of one in `old` becomes that same object.
 * Otherwise it keeps the id of the rule with its name, or at its position; otherwise it is new.
 */
export function resolveRules(
  written: readonly PolicyFileRule[],
  old: readonly AccountRule[],
  context: RuleContext,
): AccountRule[] {
  const bodies = written.map((rule, i) => bodyOf(rule, `${context.at}.rules[${i}]`, context));
  const free = new Set(old);
  const take = (rule: AccountRule | undefined): AccountRule | undefined => {
    if (rule === undefined || !free.delete(rule)) return undefined;
    return rule;
  };
  const byMeaning = Map.groupBy(old, (rule) => meaningOf(rule));
  const same = bodies.map((body, i) => {
    const alike = byMeaning.get(meaningOf(body)) ?? [];
    return take(
      alike.find((rule) => free.has(rule) && rule === old[i]) ?? alike.find((rule) => free.has(rule)),
    );
  });
  const named = bodies.map(
    (body, i) => same[i] ?? (body.name === "" ? undefined : take(onlyNamed(body.name, free))),
  );
  return bodies.map((body, i) => {
    const kept = same[i];
    if (kept !== undefined) return kept;
    const before = named[i] ?? take(old[i]);
    return { ...body, id: before?.id ?? `new:${context.policyId}/${i}` };
  });
}

function onlyNamed(name: string, rules: ReadonlySet<AccountRule>): AccountRule | undefined {
  const [first, second] = [...rules].filter((rule) => rule.name === name);
  return second === undefined ? first : undefined;
}

function bodyOf(written: PolicyFileRule, at: string, { names, faults }: RuleContext): RuleBody {
  const ids = (list: readonly string[], field: string): string[] => [
    ...new Set(
      list.flatMap((name) => faults.name(names.group, name, { at: `${at}.${field}`, what: "group" }) ?? []),
    ),
  ];
  const { source_devices, allow_intercepted, authorized_groups, machine_local_users } = written;
  const { approver_groups } = written;
  const body: RuleBody = {
    name: written.name ?? "",
    ...optional("description", written.description),
    enabled: written.enabled ?? true,
    action: written.action ?? "accept",
    bidirectional: written.bidirectional ?? false,
    protocol: written.protocol ?? "qufabric-ssh",
    ...optional("ports", written.ports?.map(String)),
    ...optional("port_ranges", written.port_ranges),
    ...optional("authorized_groups", authorized_groups && keyedIds(authorized_groups, ids)),
    ...optional("ssh", written.ssh),
    ...optional("source_devices", source_devices && ids(source_devices, "source_devices")),
    ...optional("allow_intercepted", allow_intercepted && ids(allow_intercepted, "allow_intercepted")),
    ...optional("machine_local_users", machine_local_users),
    ...optional("valid_from", written.valid_from),
    ...optional("valid_until", written.valid_until),
    ...optional("schedule", written.schedule),
    ...optional("approver_groups", approver_groups && ids(approver_groups, "approver_groups")),
    ...optional("approval_seconds", written.approval_seconds),
    ...sideOf(written, "source", at, { names: names.peer, ids, faults }),
    ...sideOf(written, "destination", at, { names: names.peer, ids, faults }),
  };
  const fault = faultOfRule(body, at);
  if (fault !== null) faults.add(fault.message, fault.hint);
  return body;
}

function keyedIds(
  authorized: NonNullable<PolicyFileRule["authorized_groups"]>,
  ids: (list: readonly string[], field: string) => string[],
): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(authorized).flatMap(([name, users]) =>
      ids([name], "authorized_groups").map((id) => [id, users] as const),
    ),
  );
}

/** One side of the rule: groups, or one peer. */
function sideOf(
  written: PolicyFileRule,
  side: "source" | "destination",
  at: string,
  {
    names,
    ids,
    faults,
  }: { names: Naming; ids: (list: readonly string[], field: string) => string[]; faults: Faults },
): Partial<RuleBody> {
  const [groups, peer] = [`${side}s`, `${side}_peer`] as [`${typeof side}s`, `${typeof side}_peer`];
  const list = written[groups];
  const name = written[peer];
  if ((list === undefined) === (name === undefined)) {
    const has = list === undefined ? "has neither" : "has both";
    faults.add(
      `${at} ${has} ${groups} ${list === undefined ? "nor" : "and"} ${peer}`,
      `give ${groups} or ${peer}`,
    );
    return {};
  }
  if (list !== undefined) return { [groups]: ids(list, groups) };
  const id = faults.name(names, name ?? "", { at: `${at}.${peer}`, what: "peer" });
  return id === undefined ? {} : { [`${side}Resource`]: { id, type: "peer" } };
}

/**
 * A rule's meaning as text: equal for two rules that are written differently but mean the same to every
 * machine and reader.
 */
export function meaningOf(rule: RuleBody): string {
  const { name, description, enabled, action, bidirectional, protocol, ssh, schedule } = rule;
  const list = <T>(entries: readonly T[] | null | undefined): T[] => [...(entries ?? [])];
  const authorized = Object.entries(rule.authorized_groups ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([
    ...[name, description ?? "", enabled, action, bidirectional, protocol],
    ...[list(rule.ports).map(Number), list(rule.port_ranges).map(({ start, end }) => [start, end])],
    authorized.map(([group, users]) => [group, [...new Set(users)].sort()]),
    ...[sorted(ssh ?? {}), rule.machine_local_users ?? null, schedule ?? null],
    ...[rule.valid_from ?? null, rule.valid_until ?? null],
    ...[sideText(rule.sources), rule.sourceResource?.id ?? null],
    ...[sideText(rule.destinations), rule.destinationResource?.id ?? null],
    ...[list(rule.source_devices).sort(), list(rule.allow_intercepted).sort()],
    ...[list(rule.approver_groups).sort(), rule.approval_seconds ?? null],
  ]);
}

function sideText(groups: readonly string[] | null | undefined): string[] | null {
  return groups === null || groups === undefined ? null : [...new Set(groups)].sort();
}

/** Fields in a fixed order. Null and absent differ only where their meanings do. */
function sorted(fields: object): unknown {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

function optional<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Record<K, V>>);
}
