/**
 * Words and figures for sessions.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";

export type Session = Answer<"GET /api/sessions">[number];
export type SessionDetail = Answer<"GET /api/sessions/:sessionId">;

/** Such as `2 h 3 min`; null while the session is running. */
export function lastedText({
  started_at,
  ended_at,
}: Pick<Session, "started_at" | "ended_at">): string | null {
  if (ended_at === null) return null;
  const seconds = Math.max(0, Math.round((Date.parse(ended_at) - Date.parse(started_at)) / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** Such as `1.5 MB`; null if unknown. */
export function bytesText(bytes: number | null): string | null {
  if (bytes === null) return null;
  const step = bytes === 0 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** step;
  return `${step === 0 ? value : value.toFixed(1)} ${UNITS[step]}`;
}

const ENDS: Readonly<Record<string, string>> = {
  session_killed: "ended by hand",
  session_idle: "too long without input",
  session_time_over: "time over",
  ssh_disabled: "SSH was switched off",
};

/** The state or end of a session, short enough for a list. */
export function endText({ state, end_reason }: Pick<Session, "state" | "end_reason">): string {
  if (state === "live") return "live";
  if (state === "unknown") return "not known";
  return end_reason === null ? "ended" : (ENDS[end_reason] ?? end_reason.replaceAll("_", " "));
}

/** What runs and is forwarded now. */
export function doesText({ running, forwards }: Pick<Session, "running" | "forwards">): string {
  const runs = running.map((one) => RUNS[one] ?? one);
  return [...runs, ...forwards.map((one) => `forwards ${one}`)].join(", ");
}

const RUNS: Readonly<Record<string, string>> = {
  "<interactive shell>": "shell",
  "<sftp>": "files",
  "<idle>": "nothing runs",
};
