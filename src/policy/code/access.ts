/**
 * Access of one person to one machine as one local user, as words: `connect`, `shell`, `sftp_write`,
 * `without_approval`. Each word is a question that `decide` answers, so this cannot disagree with it.
 *
 * It says what rules grant, and not what is in the way today: the machine's own flags are taken as open, and
 * what a person can do for a grant (a reason, a fresh sign-in, an approval) as done. A rule that holds at
 * certain times counts as `connect`; `at_any_time` is for what always holds. Read `accessOf`.
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

/** Words that stand for what is asked of a person in return, or may be left out. */
export const CONDITION_WORDS = [
  "without_approval",
  "without_reason",
  "without_recent_sign_in",
  "without_recording",
  "from_unmanaged_device",
  "at_any_time",
] as const;

/** A machine, the rules that name it, and the people who are asked about: one side of a comparison. */
export interface AccessScene {
  readonly machine: AccountPeer;
  readonly rules: readonly MapRule[];
  readonly settings: MapSettings;
  readonly users: readonly MapUser[];
  /** Their devices, and the peers that rules name as sources. */
  readonly peers: readonly MapPeer[];
  readonly nowSeconds: number;
}

/** What is asked about a person: as whom, and which commands and forwards by name. */
export interface Probes {
  readonly localUsers: readonly string[];
  readonly actions: readonly { readonly word: string; readonly action: Action }[];
}

/** Nobody's text: stands for whatever no list names. */
const ANYTHING = "\u0001";
/** No port at all: stands for those that no list names. */
const NO_PORT = -1;

/** The flags of a machine that stands in nobody's way. */
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

/** Words that say what is granted, whatever the rules name. */
export const PLAIN_WORDS: readonly string[] = [
  "connect",
  ...PLAIN_ACTIONS.map(({ word }) => word),
  "sftp_write",
];

/** What `rules` make worth asking: every local user and every entry of a list that any of them names. */
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

/** The question behind a word about an entry of a list. Null: a plain word asks that already. */
export function probeOfWord(word: string): Probes["actions"][number] | null {
  const at = word.indexOf(" ");
  const [kind, about] = [word.slice(0, at), word.slice(at + 1)];
  if (kind === "exec") return { word, action: { kind, command: about } };
  const action = probeOf(kind === "local_forward" ? "local_forward" : "remote_forward", about);
  return action === null ? null : { word, action };
}

/** An address that only this entry, or a wider one, lets through. Null: it names every address. */
function probeOf(kind: "local_forward" | "remote_forward", target: string): Action | null {
  const at = target.lastIndexOf(":");
  const [host, port] = [target.slice(0, at), target.slice(at + 1)];
  if (host === "*" && port === "*")
    return kind === "local_forward" ? null : { kind, host: ANYTHING, port: NO_PORT };
  return { kind, host: host === "*" ? ANYTHING : host, port: port === "*" ? NO_PORT : Number(port) };
}

/** Decisions of one scene, prepared: with what can be done for a grant done, and with each of it missing. */
export interface AccessSide {
  readonly usual: PolicySnapshot;
  readonly unapproved: PolicySnapshot;
  readonly always: PolicySnapshot;
  readonly nowSeconds: number;
}

/** Makes a scene ready for `accessOf`. */
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

/** The words that hold for `user`, from any of `devices`, by local user. Who may nothing is not in it. */
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

/** The rule at the time that is best for whom it grants to; a `drop` only where there is no other time. */
function atSomeTime(rule: MapRule, now: number): MapRule {
  if (isOver(rule, now)) return { ...rule, enabled: false };
  if (rule.action === "accept") return timeless(rule);
  const isForEver = rule.schedule === null && rule.validUntilSeconds === null && !isYetToCome(rule, now);
  return isForEver ? timeless(rule) : { ...rule, enabled: false };
}

/** The rule at the time that is worst: an accept only where it always holds, a `drop` if it ever does. */
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

/** A map with what decisions read, and nothing of what proofs do. */
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

/** Words in an order for people: what is granted, then what it asks. Details follow their general word. */
export function sortWords(words: Iterable<string>): string[] {
  const order = [...PLAIN_WORDS, ...CONDITION_WORDS];
  const placeOf = (word: string): number => {
    const exact = order.indexOf(word);
    return exact === -1 ? order.indexOf(word.split(" ", 1)[0] ?? "") + 0.5 : exact;
  };
  return [...words].sort((a, b) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1));
}

/** `words` without the details that a general word of them says already. */
export function shortWords(words: ReadonlySet<string>): string[] {
  return sortWords(
    [...words].filter((word) => !word.includes(" ") || !words.has(word.split(" ", 1)[0] ?? "")),
  );
}
