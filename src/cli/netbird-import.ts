/**
 * The plan of importing a NetBird account. Pure.
 *
 * An imported rule never grants more than it did in NetBird. Parts that cannot be imported are left out with
 * a reason, and rules that would then grant more are written disabled. People are not created: here they are
 * (issuer, subject), and appear when they sign in.
 *
 * @module
 */
import { nameKey } from "../wire/name-key.ts";
import type {
  NetBirdGroup,
  NetBirdPolicy,
  NetBirdRule,
  NetBirdSetupKey,
  NetBirdUser,
} from "../wire/netbird-api.ts";
import type { PolicyFile, PolicyFilePolicy, PolicyFileRule } from "../wire/policy-file.ts";

/** The data read from NetBird. */
export interface NetBirdAccount {
  readonly groups: readonly NetBirdGroup[];
  readonly users: readonly NetBirdUser[];
  readonly setupKeys: readonly NetBirdSetupKey[];
  readonly policies: readonly NetBirdPolicy[];
}

export interface ImportedKey {
  readonly name: string;
  readonly type: "reusable" | "one-off";
  readonly expiresInSeconds: number;
  readonly usageLimit: number;
  readonly groups: readonly string[];
}

export interface ImportPlan {
  /** Names of groups, without `All`. */
  readonly groups: readonly string[];
  readonly serviceUsers: readonly { readonly name: string; readonly groups: readonly string[] }[];
  readonly setupKeys: readonly ImportedKey[];
  readonly file: PolicyFile;
  /** Groups that are distinct in NetBird but one here, so that each would get the other's rights. */
  readonly alike: readonly string[];
  /** What is not imported, or imported differently, one line each. */
  readonly notes: readonly string[];
}

/** The group that every account has, here and in NetBird. */
const EVERYBODY = "All";
const DAY_SECONDS = 86_400;
const KEY_SECONDS_MAX = 365 * DAY_SECONDS;
/** Protocols of rules that have a meaning here. */
const SSH = "netbird-ssh";
const PATHS: readonly string[] = ["all", "tcp"];
/** Protocols that have no effect here, so that leaving them out loses nothing. */
const IDLE: readonly string[] = ["udp", "icmp"];

/** `nowSeconds`: the time from which a key's remaining validity counts. */
export function planImport(account: NetBirdAccount, nowSeconds: number): ImportPlan {
  const notes: string[] = [];
  const named = new Map(account.groups.map(({ id, name }) => [id, name]));
  const groupsOf = (ids: readonly string[] | null | undefined) =>
    (ids ?? []).flatMap((id) => named.get(id) ?? []).filter((name) => name !== EVERYBODY);
  const alike = alikeOf(account.groups);
  for (const name of alike)
    notes.push(`group ${name} has the name of another, here: rename one of them there`);
  return {
    alike,
    groups: [...new Set(named.values())].filter((name) => name !== EVERYBODY).sort(),
    serviceUsers: serviceUsers(account.users, groupsOf, notes),
    setupKeys: account.setupKeys.flatMap((key) => keyOf(key, nowSeconds, groupsOf, notes)),
    file: { policies: policiesOf(account.policies, { named, isUnsafe: alike.length > 0 }, notes) },
    notes,
  };
}

function alikeOf(groups: readonly NetBirdGroup[]): string[] {
  const keys = groups.map(({ name }) => nameKey(name));
  return groups.filter((_, i) => keys.indexOf(keys[i] ?? "") !== i).map(({ name }) => name);
}

type GroupsOf = (ids: readonly string[] | null | undefined) => string[];

function serviceUsers(users: readonly NetBirdUser[], groupsOf: GroupsOf, notes: string[]) {
  const found = [];
  for (const user of users) {
    const groups = groupsOf(user.auto_groups);
    const who = user.name || user.email || user.id;
    if (user.is_service_user !== true) {
      const into = groups.length === 0 ? "" : `; then put them into ${groups.join(", ")}`;
      notes.push(`person ${who} (${user.id}) appears at their first sign-in${into}`);
    } else if (user.is_blocked === true) notes.push(`service user ${who} is blocked there: left out`);
    else {
      if (user.role !== "user") notes.push(`service user ${who} was ${user.role} there: made a plain user`);
      found.push({ name: who, groups });
    }
  }
  return found;
}

function keyOf(key: NetBirdSetupKey, nowSeconds: number, groupsOf: GroupsOf, notes: string[]): ImportedKey[] {
  if (!key.valid) return [];
  const expires = Date.parse(key.expires) / 1000;
  const isEndless = !(expires > 0);
  if (!isEndless && expires <= nowSeconds) return [];
  if (isEndless) notes.push(`setup key ${key.name} had no end there: it ends in a year here`);
  const left = isEndless ? KEY_SECONDS_MAX : Math.floor(expires - nowSeconds);
  const { name, type } = key;
  const usageLimit = type === "one-off" ? 1 : key.usage_limit;
  const expiresInSeconds = Math.min(Math.max(left, 1), KEY_SECONDS_MAX);
  return [{ name, type, expiresInSeconds, usageLimit, groups: groupsOf(key.auto_groups) }];
}

function policiesOf(
  policies: readonly NetBirdPolicy[],
  { named, isUnsafe }: { readonly named: ReadonlyMap<string, string>; readonly isUnsafe: boolean },
  notes: string[],
): PolicyFilePolicy[] {
  const lost = policies.flatMap(({ name, enabled, rules }) =>
    rules.filter((rule) => enabled && rule.enabled && isLostDrop(rule)).map((rule) => ({ name, rule })),
  );
  for (const { name, rule } of lost) {
    notes.push(
      `policy ${name}: its drop rule ${rule.name} cannot be said here; nothing is enabled without it`,
    );
  }
  return policies.flatMap((policy) => {
    const rules = policy.rules.flatMap((rule) => ruleOf(rule, policy.name, named, notes));
    if (rules.length === 0) {
      notes.push(`policy ${policy.name}: nothing of it means anything here: left out`);
      return [];
    }
    const hasChecks = (policy.source_posture_checks ?? []).length > 0;
    if (hasChecks)
      notes.push(`policy ${policy.name}: its posture checks have to be made here first: disabled`);
    const isOff = !policy.enabled || hasChecks || lost.length > 0 || isUnsafe;
    return [
      {
        name: policy.name,
        ...(policy.description ? { description: policy.description } : {}),
        ...(isOff ? { enabled: false } : {}),
        rules,
      },
    ];
  });
}

/** Whether a drop rule that has a meaning here would be left out. */
function isLostDrop(rule: NetBirdRule): boolean {
  return rule.action === "drop" && !IDLE.includes(rule.protocol) && faultOf(rule) !== null;
}

/** Why a rule cannot be expressed here. Null: it can. */
function faultOf(rule: NetBirdRule): string | null {
  if (rule.sourceResource != null || rule.destinationResource != null) {
    return "names a resource or a single peer, which is not there here";
  }
  if (IDLE.includes(rule.protocol)) return `is about ${rule.protocol}, which nothing here uses`;
  if (rule.protocol !== SSH && !PATHS.includes(rule.protocol)) return `has the protocol ${rule.protocol}`;
  if ((rule.sources ?? []).length === 0 || (rule.destinations ?? []).length === 0) return "names no group";
  return null;
}

function ruleOf(
  rule: NetBirdRule,
  policy: string,
  named: ReadonlyMap<string, string>,
  notes: string[],
): PolicyFileRule[] {
  const about = `policy ${policy}: rule ${rule.name}`;
  const fault = faultOf(rule);
  if (fault !== null) {
    if (!isLostDrop(rule)) notes.push(`${about} ${fault}: left out`);
    return [];
  }
  const isSsh = rule.protocol === SSH;
  const authorized = Object.entries(rule.authorized_groups ?? {}).flatMap(([id, users]) => {
    const name = named.get(id);
    return name === undefined || (users ?? []).length === 0 ? [] : [[name, users ?? []] as const];
  });
  // A rule that names no OS users opens all, here as in NetBird. The administrator must confirm that.
  const isAsked = isSsh && rule.action === "accept" && authorized.length === 0;
  if (isAsked) notes.push(`${about} opens every OS user: disabled, until you enable it or name users`);
  const isDrop = rule.action === "drop";
  const one: PolicyFileRule = {
    ...(rule.name === "" ? {} : { name: rule.name }),
    ...(rule.description ? { description: rule.description } : {}),
    ...(rule.enabled && !isAsked ? {} : { enabled: false }),
    ...(isDrop ? { action: "drop" as const } : {}),
    ...(isSsh ? {} : { protocol: rule.protocol as "all" | "tcp" }),
    ...(rule.bidirectional && !isSsh ? { bidirectional: true } : {}),
    sources: (rule.sources ?? []).map(({ name }) => name),
    destinations: (rule.destinations ?? []).map(({ name }) => name),
    ...(rule.ports?.length ? { ports: rule.ports.map(Number) } : {}),
    ...(rule.port_ranges?.length ? { port_ranges: rule.port_ranges } : {}),
    ...(authorized.length === 0 ? {} : { authorized_groups: Object.fromEntries(authorized) }),
  };
  // SSH rules have one direction here, so a bidirectional drop becomes two.
  if (!(isSsh && isDrop && rule.bidirectional)) return [one];
  const back = { ...one, sources: one.destinations ?? [], destinations: one.sources ?? [] };
  return [one, { ...back, name: `${rule.name} (back)` }];
}
