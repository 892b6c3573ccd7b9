/**
 * Single questions about an account: may this person, from this device, be that local user there?
 *
 * `decide` answers them on a map of the machine with all its rules but only the people asked about. Read
 * `createQuestions`.
 *
 * @module
 */
import type { Action } from "../../wire/decision.ts";
import type { MapRule, NetworkMap } from "../../wire/network-map.ts";
import type { AccountPeerEntry, PolicyAccount } from "../../wire/policy-account.ts";
import { type Decision, decide } from "../decide/decide.ts";
import type { MachineFlags } from "../decide/request.ts";
import { type PolicySnapshot, prepareSnapshot } from "../decide/snapshot.ts";
import { assembleMap, destinationKeys } from "../maps/compile.ts";
import { mapRuleOf } from "../maps/map-rule.ts";
import { OPEN_FLAGS } from "./access.ts";

/** The question. Unknown ids are answered as a machine would answer them. */
export interface Question {
  readonly userId: string;
  /** Null: an unmanaged device. Absent: whichever of the person's devices comes nearest. */
  readonly devicePeerId?: string | null;
  readonly machinePeerId: string;
  readonly localUser: string;
  readonly action: Action;
  readonly nowSeconds: number;
  /** Default: everything is allowed. */
  readonly flags?: MachineFlags;
  /** Empty: none was given. Default: one was. */
  readonly reason?: string;
}

/** The decision, and its subject. */
export interface Answer {
  readonly decision: Decision;
  /** The device that came nearest. Null: an unmanaged one. */
  readonly devicePeerId: string | null;
}

/** Questions about one account. */
export interface Questions {
  /** Undefined when there is no such machine. */
  ask(question: Question): Answer | undefined;
  readonly rules: readonly MapRule[];
}

const GIVEN_REASON = "given";

/** Every rule of the account as machines see it. */
export function rulesOf({ policies, settings }: Pick<PolicyAccount, "policies" | "settings">): MapRule[] {
  const defaults = { allowBrowsers: settings.allowBrowsers ?? true };
  return policies.flatMap((policy) => policy.rules.map((rule) => mapRuleOf(policy, rule, defaults)));
}

/** Builds lookups once; each machine's rules are prepared at the first question about it. */
export function createQuestions(account: PolicyAccount): Questions {
  const rules = rulesOf(account);
  const snapshotFor = createSnapshots(account, rules);
  const machines = new Map(account.peers.map((peer) => [peer.id, peer]));
  const own = Map.groupBy(account.peers, ({ ownerUserId }) => ownerUserId ?? "");
  return {
    rules,
    ask(question) {
      const machine = machines.get(question.machinePeerId);
      if (machine === undefined) return undefined;
      const { devicePeerId, userId } = question;
      const devices = (own.get(userId) ?? []).filter(({ kind }) => kind === "device").map(({ id }) => id);
      // The answer for an unmanaged device counts if it allows, or if there is no other answer.
      const asked = devicePeerId === undefined ? [...devices, null] : [devicePeerId];
      return nearest(
        asked.map((id) => ({
          decision: decideOn(snapshotFor(machine, userId, id), question, id),
          devicePeerId: id,
        })),
      );
    },
  };
}

type SnapshotFor = (machine: AccountPeerEntry, userId: string, deviceId: string | null) => PolicySnapshot;

function createSnapshots(account: PolicyAccount, rules: readonly MapRule[]): SnapshotFor {
  const byDestination = new Map<string, MapRule[]>();
  for (const rule of rules) {
    for (const key of destinationKeys(rule)) {
      const list = byDestination.get(key);
      if (list === undefined) byDestination.set(key, [rule]);
      else list.push(rule);
    }
  }
  const peers = new Map(account.peers.map((peer) => [peer.id, peer]));
  const users = new Map(account.users.map((user) => [user.id, user]));
  const own = Map.groupBy(account.peers, ({ ownerUserId }) => ownerUserId ?? "");
  const snapshots = new Map<string, PolicySnapshot>();
  return (machine, userId, deviceId) => {
    const key = [machine.id, userId, deviceId ?? ""].join();
    const known = snapshots.get(key);
    if (known !== undefined) return known;
    const device = deviceId === null ? undefined : peers.get(deviceId);
    // A blocked or pending machine gets no rules.
    const keys = machine.status === "active" ? [machine.id, ...machine.groups] : [];
    const here = [...new Set(keys.flatMap((one) => byDestination.get(one) ?? []))];
    const named = here.flatMap(({ sourcePeerId }) =>
      sourcePeerId === null ? [] : (peers.get(sourcePeerId) ?? []),
    );
    const scope = {
      users: keyed([userId, device?.ownerUserId ?? ""].flatMap((id) => users.get(id) ?? [])),
      peers: keyed([...(own.get(userId) ?? []), ...(device === undefined ? [] : [device]), ...named]),
      rules: keyed(here),
    };
    const map = assembleMap(commonOf(account), machine, scope, Math.max(1, account.version));
    const snapshot = prepareSnapshot(map);
    snapshots.set(key, snapshot);
    return snapshot;
  };
}

function decideOn(snapshot: PolicySnapshot, question: Question, devicePeerId: string | null): Decision {
  const { userId, localUser, action, nowSeconds, flags = OPEN_FLAGS, reason = GIVEN_REASON } = question;
  return decide(
    {
      ...{ userId, devicePeerId, localUser, localUid: null, action, nowSeconds },
      ...{ authTimeSeconds: nowSeconds, binding: "idp", reason, flags },
    },
    snapshot,
  );
}

/** The first allow, otherwise the first denial whose nearest rule came furthest. */
function nearest(answers: readonly Answer[]): Answer | undefined {
  const allowed = answers.find(({ decision }) => decision.kind === "allow");
  if (allowed !== undefined) return allowed;
  const distance = ({ decision: { trace } }: Answer): number => Math.max(-1, ...trace.outcomes);
  return answers.reduce<Answer | undefined>(
    (best, answer) => (best === undefined || distance(answer) > distance(best) ? answer : best),
    undefined,
  );
}

function commonOf(
  account: PolicyAccount,
): Omit<NetworkMap, "self" | "users" | "peers" | "rules" | "version"> {
  return {
    ...{ protocolVersion: 1, accountId: account.accountId, origin: "", epoch: 1, settings: account.settings },
    ...{ cas: {}, issuers: [], managementKeys: [], revokedLogins: {} },
  };
}

function keyed<T extends { readonly id: string }>(entries: readonly T[]): Record<string, T> {
  return Object.fromEntries(entries.map((entry) => [entry.id, entry]));
}
