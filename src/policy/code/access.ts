/**
 * Access of one person to one machine as one local user, as words: `connect`, `shell`, `sftp_write`,
 * `without_approval`. Each word is a question that `decide` answers, so this cannot disagree with it.
 *
 * It reports what rules grant, not what stands in the way today. The machine's flags are taken to allow
 * everything, and obligations that a person can meet (a reason, a fresh sign-in, an approval) count as met. A
 * rule limited to certain times counts as `connect`; `at_any_time` marks access that always holds. Read
 * `accessOf`.
 *
 * @module
 */
import type { Action } from "../../wire/decision.ts";
import type { MapPeer, MapRule, MapSettings, MapUser, NetworkMap } from "../../wire/network-map.ts";
import { sftpMode } from "../decide/capabilities.ts";
import { type Decision, decide } from "../decide/decide.ts";
import type { MachineFlags } from "../decide/request.ts";
import { type PolicySnapshot, prepareSnapshot } from "../decide/snapshot.ts";
import { type AccountPeer, settingsFor } from "../maps/compile.ts";

/** Words for access that needs no such obligation or condition. */
export const CONDITION_WORDS = [
  "without_approval",
  "without_reason",
  "without_recent_sign_in",
  "without_recording",
  "from_unmanaged_device",
  "at_any_time",
] as const;

/** One side of a comparison: a machine, the rules that name it, and the people concerned. */
export interface AccessScene {
  readonly machine: AccountPeer;
  readonly rules: readonly MapRule[];
  readonly settings: MapSettings;
  readonly users: readonly MapUser[];
  /** The people's devices, and peers that rules name as sources. */
  readonly peers: readonly MapPeer[];
  readonly nowSeconds: number;
}

/** What to ask about a person: local users, and commands and forwards by name. */
export interface Probes {
  readonly localUsers: readonly string[];
  readonly actions: readonly { readonly word: string; readonly action: Action }[];
}

/** Occurs in no list; stands for everything unlisted. */
const ANYTHING = "\u0001";
/** Not a port; stands for all unlisted ports. */
const NO_PORT = -1;

/** The flags of a machine that allows everything. */
export const OPEN_FLAGS: MachineFlags = {
  sshServer: true,
  sshRoot: true,
  sshSftp: true,
  sshLocalForwarding: true,
  sshRemoteForwarding: true,
  privileged: true,
  ownUser: "",
  recording: true,
};

const PLAIN_ACTIONS: Probes["actions"] = [
  { word: "shell", action: { kind: "shell" } },
  { word: "pty", action: { kind: "pty" } },
  { word: "exec", action: { kind: "exec", command: ANYTHING } },
  { word: "sftp", action: { kind: "sftp" } },
  { word: "agent_forwarding", action: { kind: "agent_forwarding" } },
  { word: "local_forward", action: { kind: "local_forward", host: ANYTHING, port: NO_PORT } },
  { word: "remote_forward", action: { kind: "remote_forward", host: "127.0.0.1", port: NO_PORT } },
  { word: "local_socket", action: { kind: "local_socket", path: `/${ANYTHING}` } },
  { word: "remote_socket", action: { kind: "remote_socket", path: `/${ANYTHING}` } },
];

/** Words for what is granted that do not depend on the entries of rules' lists. */
export const PLAIN_WORDS: readonly string[] = [
  "connect",
  ...PLAIN_ACTIONS.map(({ word }) => word),
  "sftp_write",
];

/** The questions worth asking about `rules`: every local user and list entry that one of them names. */
export function probesOf(rules: readonly MapRule[]): Probes {
  const localUsers = new Set(["*"]);
  const commands = new Set<string>();
  const forwards = new Set<string>();
  for (const { authorizedGroups, capabilities } of rules) {
    for (const names of Object.values(authorizedGroups)) for (const name of names) localUsers.add(name);
    for (const command of capabilities.commands ?? []) commands.add(command);
    for (const kind of ["local_forward", "remote_forward"] as const) {
      for (const target of capabilities[kind] ?? []) forwards.add(`${kind} ${target}`);
    }
  }
  const words = [...[...commands].map((command) => `exec ${command}`), ...forwards];
  return {
    localUsers: [...localUsers],
    actions: [...PLAIN_ACTIONS, ...words.flatMap((word) => probeOfWord(word) ?? [])],
  };
}

/** The question behind a word about a list entry. Null: a plain word already asks it. */
export function probeOfWord(word: string): Probes["actions"][number] | null {
  const at = word.indexOf(" ");
  const [kind, about] = [word.slice(0, at), word.slice(at + 1)];
  if (kind === "exec") return { word, action: { kind, command: about } };
  const action = probeOf(kind === "local_forward" ? "local_forward" : "remote_forward", about);
  return action === null ? null : { word, action };
}

/** An address that only this entry or a wider one allows. Null: the entry names every address. */
function probeOf(kind: "local_forward" | "remote_forward", target: string): Action | null {
  const at = target.lastIndexOf(":");
  const [host, port] = [target.slice(0, at), target.slice(at + 1)];
  if (host === "*" && port === "*")
    return kind === "local_forward" ? null : { kind, host: ANYTHING, port: NO_PORT };
  return { kind, host: host === "*" ? ANYTHING : host, port: port === "*" ? NO_PORT : Number(port) };
}

/** Prepared decisions of one scene: with every obligation met, and with each one missing in turn. */
export interface AccessSide {
  readonly usual: PolicySnapshot;
  readonly unapproved: PolicySnapshot;
  readonly always: PolicySnapshot;
  readonly nowSeconds: number;
}

/** Prepares a scene for `accessOf`. */
export function prepareAccess(scene: AccessScene): AccessSide {
  const { nowSeconds } = scene;
  const usual = scene.rules.map((rule) => withoutApproval(atSomeTime(rule, nowSeconds)));
  const unapproved = scene.rules.map((rule) => atSomeTime(rule, nowSeconds));
  const always = scene.rules.map((rule) => withoutApproval(atAllTimes(rule, nowSeconds)));
  const { require } = settingsFor(scene.settings, scene.machine);
  return {
    usual: snapshotOf(scene, usual, { ...require, approval: false }),
    unapproved: snapshotOf(scene, unapproved, require),
    always: snapshotOf(scene, always, { ...require, approval: false }),
    nowSeconds,
  };
}

/** The words that hold for `user` from any of `devices`, by local user. Absent: no access. */
export function accessOf(
  side: AccessSide,
  user: MapUser,
  devices: readonly { readonly id: string }[],
  probes: Probes,
): Map<string, ReadonlySet<string>> {
  const access = new Map<string, ReadonlySet<string>>();
  if (side.usual.rules.length === 0) return access;
  const sources = [...devices.map(({ id }) => id), null];
  for (const localUser of probes.localUsers) {
    const ask = (snapshot: PolicySnapshot, device: string | null, change: Partial<Question> = {}): Decision =>
      decideAs(snapshot, {
        ...{ userId: user.id, device, localUser, nowSeconds: side.nowSeconds },
        ...change,
      });
    const open = sources.filter((device) => ask(side.usual, device).kind === "allow");
    if (open.length === 0) continue;
    const some = (test: (device: string | null) => boolean): boolean => open.some(test);
    const words = new Set(["connect"]);
    for (const { word, action } of probes.actions) {
      if (some((device) => ask(side.usual, device, { action }).kind === "allow")) words.add(word);
    }
    if (some((device) => maySendFiles(ask(side.usual, device, { action: { kind: "sftp" } })))) {
      words.add("sftp_write");
    }
    const conditions: Readonly<Record<(typeof CONDITION_WORDS)[number], boolean>> = {
      without_approval: some((device) => ask(side.unapproved, device).kind === "allow"),
      without_reason: some((device) => ask(side.usual, device, { reason: "" }).kind === "allow"),
      without_recent_sign_in: some((device) => ask(side.usual, device, { isProven: false }).kind === "allow"),
      without_recording: some((device) => ask(side.usual, device, { recording: false }).kind === "allow"),
      from_unmanaged_device: open.includes(null),
      at_any_time: some((device) => ask(side.always, device).kind === "allow"),
    };
    for (const word of CONDITION_WORDS) if (conditions[word]) words.add(word);
    access.set(localUser, words);
  }
  return access;
}

interface Question {
  readonly userId: string;
  readonly device: string | null;
  readonly localUser: string;
  readonly nowSeconds: number;
  readonly action?: Action;
  readonly reason?: string;
  readonly isProven?: boolean;
  readonly recording?: boolean;
}

function decideAs(snapshot: PolicySnapshot, question: Question): Decision {
  return decide(
    {
      userId: question.userId,
      devicePeerId: question.device,
      localUser: question.localUser,
      localUid: null,
      action: question.action ?? { kind: "connect" },
      nowSeconds: question.nowSeconds,
      authTimeSeconds: question.isProven === false ? null : question.nowSeconds,
      binding: "idp",
      reason: question.reason ?? ANYTHING,
      flags: question.recording === false ? { ...OPEN_FLAGS, recording: false } : OPEN_FLAGS,
    },
    snapshot,
  );
}

function maySendFiles(decision: Decision): boolean {
  return decision.kind === "allow" && sftpMode(decision.grant.capabilities) === "write";
}

function withoutApproval(rule: MapRule): MapRule {
  if (rule.capabilities.require_approval !== true) return rule;
  return { ...rule, capabilities: { ...rule.capabilities, require_approval: false } };
}

/** The rule at the best time: an accept if it ever holds, a `drop` only if it always does. */
function atSomeTime(rule: MapRule, now: number): MapRule {
  if (isOver(rule, now)) return { ...rule, enabled: false };
  if (rule.action === "accept") return timeless(rule);
  const isForEver = rule.schedule === null && rule.validUntilSeconds === null && !isYetToCome(rule, now);
  return isForEver ? timeless(rule) : { ...rule, enabled: false };
}

/** The rule at the worst time: an accept only if it always holds, a `drop` if it ever does. */
function atAllTimes(rule: MapRule, now: number): MapRule {
  if (isOver(rule, now)) return { ...rule, enabled: false };
  if (rule.action === "drop") return timeless(rule);
  const isAlways = rule.schedule === null && rule.validUntilSeconds === null && !isYetToCome(rule, now);
  return isAlways ? timeless(rule) : { ...rule, enabled: false };
}

function isOver({ validUntilSeconds }: MapRule, now: number): boolean {
  return validUntilSeconds !== null && validUntilSeconds <= now;
}

function isYetToCome({ validFromSeconds }: MapRule, now: number): boolean {
  return validFromSeconds !== null && validFromSeconds > now;
}

function timeless(rule: MapRule): MapRule {
  const { schedule, validFromSeconds, validUntilSeconds } = rule;
  if (schedule === null && validFromSeconds === null && validUntilSeconds === null) return rule;
  return { ...rule, schedule: null, validFromSeconds: null, validUntilSeconds: null };
}

function snapshotOf(
  scene: AccessScene,
  rules: readonly MapRule[],
  require: MapSettings["require"],
): PolicySnapshot {
  return prepareSnapshot(mapOf(scene, rules, { ...scene.settings, require }));
}

/** A map with only what decisions read, without what proofs need. */
function mapOf(scene: AccessScene, rules: readonly MapRule[], settings: MapSettings): NetworkMap {
  const { machine } = scene;
  return {
    ...{ protocolVersion: 1, accountId: "", origin: "", epoch: 1, version: 1 },
    self: {
      peerId: machine.id,
      name: machine.name,
      address: machine.address,
      groups: machine.groups,
      sshEnabled: machine.sshEnabled && machine.status === "active",
    },
    settings,
    ...{ cas: {}, issuers: [], managementKeys: [], revokedLogins: {} },
    users: keyed(scene.users),
    peers: keyed(scene.peers),
    rules: keyed(rules),
  };
}

function keyed<T extends { readonly id: string }>(entries: readonly T[]): Record<string, T> {
  return Object.fromEntries(entries.map((entry) => [entry.id, entry]));
}

/** Sorts words for people: grants first, then conditions. Details follow their general word. */
export function sortWords(words: Iterable<string>): string[] {
  const order = [...PLAIN_WORDS, ...CONDITION_WORDS];
  const placeOf = (word: string): number => {
    const exact = order.indexOf(word);
    return exact === -1 ? order.indexOf(word.split(" ", 1)[0] ?? "") + 0.5 : exact;
  };
  return [...words].sort((a, b) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1));
}

/** `words` without the details that one of its general words already covers. */
export function shortWords(words: ReadonlySet<string>): string[] {
  return sortWords(
    [...words].filter((word) => !word.includes(" ") || !words.has(word.split(" ", 1)[0] ?? "")),
  );
}
