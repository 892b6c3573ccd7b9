/**
 * Resolves a policy file against an account: names become ids, and the result is the account as it would be
 * with the file applied. Decides and stores nothing.
 *
 * Policies and rules keep their identity: a policy by its name (or `id`), a rule by its meaning, then its
 * name, then its position. Unchanged parts stay the same objects, so that changes show by identity. Read
 * `resolveFile`.
 *
 * @module
 */
import { nameKey } from "../../wire/name-key.ts";
import type { AccountGroup, AccountPolicy, PolicyAccount, PolicyTest } from "../../wire/policy-account.ts";
import type {
  PolicyFile,
  PolicyFileGroup,
  PolicyFilePolicy,
  PolicyFileTest,
} from "../../wire/policy-file.ts";
import { requireAt, requiresOf } from "../maps/group-floors.ts";
import { type Faults, newFaults, type PolicyFault } from "./faults.ts";
import { actionOf } from "./file-action.ts";
import { type AccountNames, type Naming, namesOf } from "./names.ts";
import { resolveRules } from "./resolve-rules.ts";

/** Result of resolving a file. If there are faults there is no account: nothing of the file applies. */
export type Resolution =
  | { readonly kind: "resolved"; readonly account: PolicyAccount }
  | { readonly kind: "refused"; readonly faults: readonly PolicyFault[] };

/** Prefix of placeholder ids for new things. Real ids have no colon. */
export const NEW_ID_PREFIX = "new:";

/** `account` with the parts that `file` covers replaced. */
export function resolveFile(file: PolicyFile, account: PolicyAccount): Resolution {
  const faults = newFaults();
  const groups = resolveGroups(file, account, faults);
  const names = namesOf({ ...account, groups });
  const settled = settleApprovers(file, groups, { names, faults });
  const policies = resolvePolicies(file, account, { names, faults });
  if (file.policies !== undefined || file.groups !== undefined) {
    requireSaneRuleApprovers(settled, policies, faults);
  }
  const tests = file.tests?.map((test, i) => resolveTest(test, `tests[${i}]`, { names, faults }));
  if (faults.all.length > 0) return { kind: "refused", faults: faults.all };
  return {
    kind: "resolved",
    account: {
      ...account,
      groups: settled,
      peers: peersUnder(account.peers, settled),
      policies,
      tests: tests?.flatMap((test) => test ?? []) ?? account.tests,
    },
  };
}

/** Peers with what their groups now require. */
function peersUnder(peers: PolicyAccount["peers"], groups: readonly AccountGroup[]): PolicyAccount["peers"] {
  const requires = requiresOf(groups);
  if (requires.size === 0 && peers.every(({ require }) => require === undefined)) return peers;
  return peers.map(({ require: _, ...peer }) => ({ ...peer, ...requireAt(peer.groups, requires) }));
}

interface Context {
  readonly names: AccountNames;
  readonly faults: Faults;
}

/** The account's groups, and the new ones that the file names. */
function resolveGroups(file: PolicyFile, account: PolicyAccount, faults: Faults): AccountGroup[] {
  const known = namesOf(account).group;
  const byKey = new Map(account.groups.map((group) => [nameKey(group.name), group]));
  const made: AccountGroup[] = [];
  for (const written of Object.keys(file.groups ?? {})) {
    const name = written.normalize("NFC");
    if (known.find(name).kind === "found") continue;
    const alike = byKey.get(nameKey(name));
    if (name.startsWith("id:") || known.find(name).kind === "ambiguous") {
      faults.name(known, name, { at: "groups", what: "group" });
    } else if (alike !== undefined) {
      faults.add(
        `groups names a group ${quoted(name)}, and there is ${quoted(alike.name)}, which looks the same`,
      );
    } else if (!isVisibleName(name)) {
      faults.add(`groups names a group ${quoted(name)}, which is no name that people can read`);
    } else {
      const group = { id: `${NEW_ID_PREFIX}${name}`, name, isAll: false, settings: {} };
      byKey.set(nameKey(name), group);
      made.push(group);
    }
  }
  return made.length === 0 ? [...account.groups] : [...account.groups, ...made];
}

function settleApprovers(
  file: PolicyFile,
  groups: readonly AccountGroup[],
  context: Context,
): AccountGroup[] {
  const written = new Map<string, AccountGroup["settings"]>();
  for (const [name, settings] of Object.entries(file.groups ?? {})) {
    const found = context.names.group.find(name);
    if (found.kind !== "found") continue;
    if (written.has(found.id)) context.faults.add(`groups names ${quoted(name)} twice`);
    written.set(found.id, settingsOf(settings ?? {}, `groups.${quoted(name)}`, context));
  }
  const settled = groups.map((group) => {
    const settings = written.get(group.id);
    return settings === undefined || sameJson(settings, group.settings) ? group : { ...group, settings };
  });
  if (written.size > 0) requireSaneApprovers(settled, context);
  return settled;
}

function settingsOf(
  settings: PolicyFileGroup,
  at: string,
  { names, faults }: Context,
): AccountGroup["settings"] {
  const { requestable, approver_groups, request_seconds_max, require } = settings;
  const approverGroups = approver_groups?.flatMap(
    (name) => faults.name(names.group, name, { at: `${at}.approver_groups`, what: "group" }) ?? [],
  );
  return {
    ...(requestable === true ? { requestable } : {}),
    ...(approverGroups === undefined ? {} : { approverGroups: [...new Set(approverGroups)] }),
    ...(request_seconds_max === undefined ? {} : { requestSecondsMax: request_seconds_max }),
    ...(require === undefined ? {} : { require }),
  };
}

/** Approvers must not be able to gain membership, or the right to approve, by requests to each other. */
function requireSaneApprovers(groups: readonly AccountGroup[], { faults }: Context): void {
  const byId = new Map(groups.map((group) => [group.id, group]));
  const nameOf = (id: string): string => byId.get(id)?.name ?? id;
  const cycle = cycleOf(groups);
  if (cycle !== null) {
    faults.add(`approver_groups go round in a cycle: ${cycle.map(nameOf).map(quoted).join(" → ")}`);
    return;
  }
  for (const { name, settings } of groups) {
    const approvers = settings.approverGroups?.find((id) => byId.get(id)?.settings.requestable === true);
    if (approvers === undefined) continue;
    faults.add(`the group ${quoted(nameOf(approvers))} is requestable and decides about ${quoted(name)}`);
  }
}

/** The same for rules that require an approval. */
function requireSaneRuleApprovers(
  groups: readonly AccountGroup[],
  policies: readonly AccountPolicy[],
  faults: Faults,
): void {
  const requestable = new Map(
    groups.flatMap(({ id, name, settings }) => (settings.requestable === true ? [[id, name] as const] : [])),
  );
  for (const { name, rules } of policies) {
    const asked = rules
      .flatMap(({ approver_groups }) => approver_groups ?? [])
      .find((id) => requestable.has(id));
    if (asked === undefined) continue;
    const group = quoted(requestable.get(asked) ?? asked);
    faults.add(`the group ${group} is requestable and decides about the policy ${quoted(name)}`);
  }
}

/** The ids of a cycle of approver groups, with the first repeated at the end. Null: none. */
function cycleOf(groups: readonly AccountGroup[]): string[] | null {
  const next = new Map(groups.map(({ id, settings }) => [id, settings.approverGroups ?? []]));
  const done = new Set<string>();
  for (const { id: start } of groups) {
    const path: string[] = [];
    const rest: { readonly id: string; readonly depth: number }[] = [{ id: start, depth: 0 }];
    for (let step = rest.pop(); step !== undefined; step = rest.pop()) {
      path.length = step.depth;
      const at = path.indexOf(step.id);
      if (at !== -1) return [...path.slice(at), step.id];
      if (done.has(step.id)) continue;
      path.push(step.id);
      for (const id of next.get(step.id) ?? []) rest.push({ id, depth: path.length });
    }
    done.add(start);
  }
  return null;
}

function resolvePolicies(file: PolicyFile, account: PolicyAccount, context: Context): AccountPolicy[] {
  if (file.policies === undefined) return account.policies;
  const byId = new Map(account.policies.map((policy) => [policy.id, policy]));
  const seen = new Map<string, string>();
  const used = new Set<string>();
  const policies = file.policies.map((written, i) => {
    const at = `policies[${i}]`;
    const { faults, names } = context;
    const twin = seen.get(nameKey(written.name));
    // Two policies that already had the same name are told apart by id.
    if (twin !== undefined && (written.id === undefined || twin === "")) {
      faults.add(
        `${at}.name is ${quoted(written.name)}, which an earlier policy of the file is called as well`,
      );
    }
    seen.set(nameKey(written.name), written.id ?? "");
    if (!isVisibleName(written.name)) faults.add(`${at}.name is no name that people can read`);
    const old = byId.get(oldIdOf(written, at, { names, faults }) ?? "");
    if (old !== undefined && used.has(old.id))
      faults.add(`${at} is the same policy as an earlier one of the file`);
    if (old !== undefined) used.add(old.id);
    return resolvePolicy(written, old, at, context);
  });
  return policies.length === account.policies.length &&
    policies.every((one, i) => one === account.policies[i])
    ? account.policies
    : policies;
}

/** Which policy of the account this is. Undefined: a new one. */
function oldIdOf(written: PolicyFilePolicy, at: string, { names, faults }: Context): string | undefined {
  if (written.id !== undefined) {
    return faults.name(names.policy, written.id, { at: `${at}.id`, what: "policy" });
  }
  const found = names.policy.find(written.name);
  if (found.kind === "ambiguous") {
    faults.name(names.policy, written.name, { at: `${at}.name`, what: "policy" });
  }
  return found.kind === "found" ? found.id : undefined;
}

function resolvePolicy(
  written: PolicyFilePolicy,
  old: AccountPolicy | undefined,
  at: string,
  context: Context,
): AccountPolicy {
  const checks = (written.source_posture_checks ?? []).flatMap((name) => {
    const place = { at: `${at}.source_posture_checks`, what: "posture check" };
    return context.faults.name(context.names.postureCheck, name, place) ?? [];
  });
  const id = old?.id ?? `${NEW_ID_PREFIX}${written.name}`;
  const next: AccountPolicy = {
    id,
    name: written.name.normalize("NFC").trim(),
    description: written.description ?? null,
    enabled: written.enabled ?? true,
    sourcePostureChecks: [...new Set(checks)],
    rules: resolveRules(written.rules, old?.rules ?? [], { at, policyId: id, ...context }),
  };
  if (old === undefined) return next;
  const isSame =
    next.name === old.name &&
    (next.description ?? "") === (old.description ?? "") &&
    next.enabled === old.enabled &&
    sameJson([...next.sourcePostureChecks].sort(), [...old.sourcePostureChecks].sort()) &&
    next.rules.length === old.rules.length &&
    // The order of rules does not matter.
    next.rules.every((rule) => old.rules.includes(rule));
  return isSame ? old : next;
}

function resolveTest(
  written: PolicyFileTest,
  at: string,
  { names, faults }: Context,
): PolicyTest | undefined {
  const find = (naming: Naming, name: string, field: string, what: string) =>
    faults.name(naming, name, { at: `${at}.${field}`, what });
  const userId = find(names.person, written.user, "user", "person");
  const machinePeerId = find(names.machine, written.machine, "machine", "machine");
  const devicePeerId =
    written.device === undefined ? null : find(names.device, written.device, "device", "device");
  const action = actionOf(written.action ?? "connect");
  if (action === null) faults.add(`${at}.action names no port`);
  if (written.reason !== undefined && written.expect === "allow") {
    faults.add(`${at}.reason is for expect: deny only`);
  }
  if (userId === undefined || machinePeerId === undefined || devicePeerId === undefined || action === null)
    return;
  return {
    ...{ name: written.name ?? "", userId, devicePeerId, machinePeerId },
    ...{ localUser: written.local_user, action, expect: written.expect, reason: written.reason ?? null },
  };
}

/** One line of visible characters. The schema of stored names checks this again. */
function isVisibleName(name: string): boolean {
  return name.trim() !== "" && name.trim().length <= 256 && !/[\p{C}\p{Zl}\p{Zp}]/u.test(name);
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function quoted(name: string): string {
  return JSON.stringify(name);
}
