/**
 * Words for moments: relative, or absolute with the time zone.
 *
 * @module
 */
const STEPS: readonly (readonly [seconds: number, unit: Intl.RelativeTimeFormatUnit])[] = [
  [60, "second"],
  [3_600, "minute"],
  [86_400, "hour"],
  [2_592_000, "day"],
  [31_536_000, "month"],
  [Number.POSITIVE_INFINITY, "year"],
];
const SIZES: Readonly<Record<string, number>> = {
  second: 1,
  minute: 60,
  hour: 3_600,
  day: 86_400,
  month: 2_592_000,
  year: 31_536_000,
};
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const absolute = new Intl.DateTimeFormat("en-GB", {
  dateStyle: "medium",
  timeStyle: "medium",
});
const zone = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });

/** The API follows NetBird's: a moment in year 1 means never. */
const NEVER_YEAR = 1;

export function isNever(iso: string): boolean {
  return new Date(iso).getUTCFullYear() === NEVER_YEAR;
}

/** Such as `3 hours ago` or `in 2 days`. */
export function relativeTime(iso: string, nowMs = Date.now()): string {
  const seconds = Math.round((Date.parse(iso) - nowMs) / 1000);
  if (Math.abs(seconds) < 10) return "now";
  const [, unit] = STEPS.find(([limit]) => Math.abs(seconds) < limit) ?? [0, "year" as const];
  return relative.format(Math.round(seconds / (SIZES[unit] ?? 1)), unit);
}

/** Such as `30 Nov 2026, 14:05:10 CET`. */
export function absoluteTime(iso: string): string {
  const date = new Date(iso);
  const name = zone.formatToParts(date).find(({ type }) => type === "timeZoneName")?.value ?? "";
  return `${absolute.format(date)} ${name}`.trim();
}
