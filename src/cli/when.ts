/**
 * Parser of times as people type them: a date, a time, or how long ago.
 *
 * @module
 */
import { systemClock } from "../base/clock.ts";
import { QfError } from "../base/errors.ts";

const MS_OF: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Converts `2026-11-30`, `2026-11-30T08:00:00Z`, `2h` or `7d` to ISO 8601 in UTC. Throws ERR_USAGE. */
export function parseWhen(flag: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const [, digits = "", unit = ""] = /^(\d{1,5})([smhd])$/.exec(text) ?? [];
  const isDate = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/.test(text);
  const atMs = isDate ? Date.parse(text) : systemClock.nowMs() - Number(digits) * (MS_OF[unit] ?? Number.NaN);
  if (Number.isFinite(atMs) && (isDate || digits !== "")) return new Date(atMs).toISOString();
  throw new QfError(
    "ERR_USAGE",
    `--${flag} must be a time such as 2026-11-30T08:00:00Z, a date, or a length such as 2h or 7d`,
  );
}
