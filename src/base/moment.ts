/**
 * Times for people, in one format everywhere: UTC, labelled as such, preceded by the relative time where that
 * matters more. JSON uses ISO 8601 with a zone instead.
 *
 * @module
 */
import { systemClock } from "./clock.ts";

/** `2026-11-20 14:03:00 UTC`, from seconds since 1970 or an RFC 3339 time. */
export function timeText(moment: number | string): string {
  const atMs = typeof moment === "number" ? moment * 1_000 : Date.parse(moment);
  if (!Number.isFinite(atMs)) return "unknown";
  return `${new Date(atMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

const STEPS: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
];

/**
 * `3 h ago (2026-11-20 11:03:00 UTC)`, from an RFC 3339 time. `never` for an empty time or the one that
 * stands for never.
 */
export function agoText(time: string, nowMs: number = systemClock.nowMs()): string {
  const atMs = Date.parse(time);
  if (!(atMs > 0)) return "never";
  const seconds = Math.max(0, Math.round((nowMs - atMs) / 1000));
  const [size, unit] = STEPS.find(([step]) => seconds >= step) ?? [1, "s"];
  return `${Math.floor(seconds / size)} ${unit} ago (${timeText(time)})`;
}
