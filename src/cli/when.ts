/**
 * Parser of times as people type them: a date, a time, or how long ago.
 *
 * @module
 */
import { systemClock } from "../base/clock.ts";
import { QfError } from "../base/errors.ts";

const MS_OF: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A date, alone or with a time and its zone. */
const MOMENT = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** Converts `2026-11-30`, `2026-11-30T08:00:00Z`, `2h` or `7d` to ISO 8601 in UTC. Throws ERR_USAGE. */
export function parseWhen(flag: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const [, digits = "", unit = ""] = /^(\d{1,5})([smhd])$/.exec(text) ?? [];
  const agoMs = digits === "" ? Number.NaN : Number(digits) * (MS_OF[unit] ?? Number.NaN);
  const atMs = momentMs(text) ?? systemClock.nowMs() - agoMs;
  if (Number.isFinite(atMs)) return new Date(atMs).toISOString();
  throw new QfError(
    "ERR_USAGE",
    `--${flag} must be a time such as 2026-11-30T08:00:00Z, a date, or a length such as 2h or 7d`,
  );
}

/** Milliseconds since 1970 of a date (0:00 in UTC) or an RFC 3339 time. Undefined: it is neither. */
export function momentMs(text: string): number | undefined {
  if (!MOMENT.test(text)) return undefined;
  // `Date.parse` takes 31 February for 3 March.
  const day = text.slice(0, 10);
  const dayMs = Date.parse(day);
  if (!Number.isFinite(dayMs) || new Date(dayMs).toISOString().slice(0, 10) !== day) return undefined;
  const atMs = Date.parse(text);
  return Number.isFinite(atMs) ? atMs : undefined;
}
