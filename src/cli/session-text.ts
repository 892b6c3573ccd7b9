/**
 * SSH sessions as text for people: rows of lists, and the details of one session.
 *
 * @module
 */
import { agoText, timeText } from "../base/moment.ts";
import { printable } from "../base/printable.ts";
import type { Session, SessionDetail } from "../wire/session.ts";
import { renderTable } from "./output.ts";

export const LIVE_HEADINGS = ["ID", "USER", "MACHINE", "AS", "STARTED", "PATH", "RUNNING"] as const;
export const HISTORY_HEADINGS = ["ID", "USER", "MACHINE", "AS", "STARTED", "LASTED", "OUT", "END"] as const;

/** A row of `qf session list`. */
export function liveRow(session: Session, nowMs?: number): string[] {
  const { id, user, machine, local_user, started_at, path, running, forwards } = session;
  const does = [...running, ...forwards.map((forward) => `forwards ${forward}`)].join(", ");
  return [id, user, machine, local_user, agoText(started_at, nowMs), path ?? "", does];
}

/** A row of `qf session history`. */
export function historyRow(session: Session): string[] {
  const { id, user, machine, local_user, started_at, bytes_out } = session;
  const started = timeText(started_at);
  const out = bytes_out === null ? "" : bytesText(bytes_out);
  return [id, user, machine, local_user, started, lastedText(session), out, endText(session)];
}

/** `ended`, the reason it was ended, or the current state. */
function endText({ state, end_reason }: Session): string {
  return state === "ended" ? (end_reason ?? "ended") : state;
}

/** A session's duration, such as `2 h 3 min`. Empty while it goes on. */
export function lastedText({ started_at, ended_at }: Pick<Session, "started_at" | "ended_at">): string {
  if (ended_at === null) return "";
  const seconds = Math.max(0, Math.round((Date.parse(ended_at) - Date.parse(started_at)) / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

/** `1.5 MB`. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = bytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** step;
  return `${step === 0 ? value : value.toFixed(1)} ${units[step]}`;
}

/** One session: its facts, then its events, each kind under a heading. */
export function detailText(session: SessionDetail): string {
  const facts: readonly (readonly [name: string, value: string | null])[] = [
    ["session", session.id],
    ["state", endText(session)],
    ["user", session.user],
    ["device", session.device],
    ["machine", session.machine],
    ["as", session.local_user],
    ["path", session.path],
    ["from", session.source_address],
    ["client", session.client_version],
    ["started", timeText(session.started_at)],
    ["ended", session.ended_at === null ? null : timeText(session.ended_at)],
    ["lasted", lastedText(session) || null],
    ["bytes in", session.bytes_in === null ? null : bytesText(session.bytes_in)],
    ["bytes out", session.bytes_out === null ? null : bytesText(session.bytes_out)],
    ["rule", session.rule_id],
    ["reason", session.reason],
    ["approved", session.approved_by?.name ?? null],
    ["ended by", endedByText(session.ended_by)],
    ["running", session.running.join(", ") || null],
  ];
  const lines = facts.flatMap(([name, value]) =>
    value === null || value === "" ? [] : [`${`${name}:`.padEnd(11)}${printable(value)}\n`],
  );
  return `${lines.join("")}${partsOf(session)}`;
}

function endedByText(by: SessionDetail["ended_by"]): string | null {
  if (by === null) return null;
  return by.reason === null ? by.name : `${by.name}: ${by.reason}`;
}

function partsOf({ channels, forwarded, transfers, decisions, truncated }: SessionDetail): string {
  const denied = decisions.filter(({ outcome }) => outcome === "deny");
  return [
    part(
      ["CHANNEL", "KIND", "COMMAND", "STARTED", "LASTED", "EXIT"],
      channels.map((one) => [
        ...[String(one.number), one.pty ? `${one.kind} (pty)` : one.kind, one.command ?? ""],
        ...[timeText(one.started_at), lastedText(one), one.signal ?? String(one.exit_status ?? "")],
      ]),
    ),
    part(
      ["FORWARD", "TO", "STARTED", "LASTED", "IN", "OUT", "END"],
      forwarded.map((one) => [
        ...[one.kind, one.destination, timeText(one.started_at), lastedText(one)],
        ...[bytesText(one.bytes_in ?? 0), bytesText(one.bytes_out ?? 0)],
        one.ended_at === null ? "open" : (one.end_reason ?? "ended"),
      ]),
    ),
    part(
      ["FILE", "PATH", "AT", "READ", "WRITTEN", "STATUS"],
      transfers.map((one) => [
        ...[one.op, one.target === null ? one.path : `${one.path} -> ${one.target}`, timeText(one.at)],
        ...[one.bytes_read, one.bytes_written].map((bytes) => (bytes === null ? "" : bytesText(bytes))),
        one.status,
      ]),
    ),
    part(
      ["REFUSED", "AT", "REASON"],
      denied.map((one) => [one.action.kind, timeText(one.at), one.reason ?? ""]),
    ),
    truncated ? "\nonly the first events are shown; qf audit list has all\n" : "",
  ].join("");
}

function part(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? "" : `\n${renderTable(headings, rows)}`;
}
