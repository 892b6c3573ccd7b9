/**
 * Notices: the events of an account's log that people want to hear about, as sentences.
 *
 * The reader takes events in order. A single refused sign-in makes no notice; several in a row by the same
 * person or from the same source address make one. Read `take`.
 *
 * @module
 */
import { printable } from "../../base/printable.ts";
import type { ActivityCode } from "../../wire/audit-event.ts";
import type { NoticeTopic } from "../../wire/outlet-api.ts";

/** The parts of an event that notices use. */
export interface NoticedEvent {
  readonly seq: number;
  readonly atMs: number;
  readonly activity: ActivityCode;
  readonly initiatorId: string;
  readonly initiatorName: string;
  readonly initiatorEmail: string;
  readonly targetId: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, unknown>> | null;
}

/** One line for people. `text` is printable and has no markup. */
export interface Notice {
  readonly topic: NoticeTopic;
  readonly seq: number;
  readonly atMs: number;
  readonly activity: string;
  readonly text: string;
}

/** Refusals in a row, within `ROW_MS`, that make a notice; as many more make another. */
export const REFUSALS_IN_A_ROW = 5;
const ROW_MS = 600_000;
/** People and source addresses remembered. */
const ROWS_MAX = 10_000;
const VALUE_CHARS_MAX = 120;
const FACTS_MAX = 6;

/** Topics by prefix of the activity code. The first match wins. */
const TOPICS: readonly (readonly [prefix: string, topic: NoticeTopic])[] = [
  ["access.request", "access_request"],
  ["approval.request", "access_request"],
  ["peer.user.add", "new_device"],
  ["peer.setupkey.add", "new_device"],
  ["policy.", "policy_change"],
  ["posture.check.", "policy_change"],
  ["account.settings.update", "policy_change"],
  ["log.lost", "log_inconsistent"],
];

const REFUSALS: ReadonlySet<string> = new Set<ActivityCode>([
  "login.failed",
  "login.hosted.deny",
  "token.claim.refused",
  "certificate.refuse",
  "ssh.decision.deny",
  "ssh.auth.failed",
]);
const SUCCESSES: ReadonlySet<string> = new Set<ActivityCode>([
  "login",
  "dashboard.login",
  "certificate.issue",
  "ssh.decision.allow",
]);

interface Row {
  count: number;
  sinceMs: number;
}

/** Reads an account's events in order. */
export class NoticeReader {
  readonly #rows: Map<string, Row>;

  constructor(rows: ReadonlyMap<string, Row> = new Map()) {
    this.#rows = new Map([...rows].map(([who, row]) => [who, { ...row }]));
  }

  /** An independent copy with the same state. */
  copy(): NoticeReader {
    return new NoticeReader(this.#rows);
  }

  /** The notice of an event. Undefined: none. */
  take(event: NoticedEvent): Notice | undefined {
    if (REFUSALS.has(event.activity)) return this.#refused(event);
    if (SUCCESSES.has(event.activity)) this.#rows.delete(whoseRow(event));
    if (isLogAlarm(event)) return noticeOf(event, "log_inconsistent", alarmText(event));
    const topic = TOPICS.find(([prefix]) => event.activity.startsWith(prefix))?.[1];
    return topic === undefined ? undefined : noticeOf(event, topic, sentenceOf(event));
  }

  #refused(event: NoticedEvent): Notice | undefined {
    const who = whoseRow(event);
    const known = this.#rows.get(who);
    const isOver = known === undefined || event.atMs - known.sinceMs > ROW_MS;
    const row = isOver ? { count: 0, sinceMs: event.atMs } : known;
    row.count += refusalsOf(event);
    this.#rows.delete(who); // Reinserted as the newest: the oldest are dropped first.
    this.#rows.set(who, row);
    const [oldest] = this.#rows.keys();
    if (this.#rows.size > ROWS_MAX && oldest !== undefined) this.#rows.delete(oldest);
    if (row.count < REFUSALS_IN_A_ROW) return undefined;
    this.#rows.delete(who);
    const text = `${row.count} sign-ins in a row were refused: ${sentenceOf(event)}`;
    return noticeOf(event, "sign_in_refused", text);
  }
}

/** How many refusals an event stands for: a machine counts unproven attempts in one event. */
function refusalsOf({ data }: NoticedEvent): number {
  const count = data?.count;
  return typeof count === "number" && Number.isSafeInteger(count) && count > 0 ? count : 1;
}

/** The key to count by: the person if known, else the source. */
function whoseRow({ activity, initiatorId, meta, data, targetId }: NoticedEvent): string {
  if (initiatorId !== "" && initiatorId !== "sys" && !activity.startsWith("ssh.auth")) return initiatorId;
  const source = data?.sourceAddress;
  return meta.email ?? meta.source_address ?? meta.source ?? (typeof source === "string" ? source : targetId);
}

function isLogAlarm({ activity, data }: NoticedEvent): boolean {
  return activity === "agent.state" && data?.what === "log_differs";
}

function alarmText({ meta, data }: NoticedEvent): string {
  const detail = typeof data?.detail === "string" ? data.detail : "the audit log is not what it was";
  return `machine ${meta.machine ?? meta.peer ?? "unknown"} says that ${detail}`;
}

/** `Ada (ada@example.com): policy update, name web`. */
function sentenceOf({ activity, initiatorName, initiatorEmail, meta }: NoticedEvent): string {
  const who = initiatorName || initiatorEmail || "unknown";
  const mail = initiatorEmail === "" || initiatorEmail === who ? "" : ` (${initiatorEmail})`;
  const facts = Object.entries(meta)
    .slice(0, FACTS_MAX)
    .map(([name, value]) => `, ${name.replaceAll("_", " ")} ${short(value)}`);
  return `${short(who)}${short(mail)}: ${activity.replaceAll(".", " ")}${facts.join("")}`;
}

function short(text: string): string {
  return [...text].length > VALUE_CHARS_MAX ? `${[...text].slice(0, VALUE_CHARS_MAX).join("")}…` : text;
}

function noticeOf({ seq, atMs, activity }: NoticedEvent, topic: NoticeTopic, text: string): Notice {
  return { topic, seq, atMs, activity, text: printable(text) };
}
