/**
 * Events counted by the hour.
 *
 * @module
 */
const HOUR_MS = 3_600_000;

/** The last `hours` hours, the present one last. What is older is left out. */
export function hourly(timestamps: readonly string[], hours: number, nowMs: number): number[] {
  const present = Math.floor(nowMs / HOUR_MS);
  const counts = Array.from({ length: hours }, () => 0);
  for (const timestamp of timestamps) {
    const age = present - Math.floor(Date.parse(timestamp) / HOUR_MS);
    // What another clock dates ahead is of now.
    const at = hours - 1 - Math.max(0, age);
    if (at >= 0) counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}

/** `14:00`, of bar `index` of `hours`. */
export function hourName(index: number, hours: number, nowMs: number): string {
  const at = new Date((Math.floor(nowMs / HOUR_MS) - (hours - 1 - index)) * HOUR_MS);
  return `${String(at.getHours()).padStart(2, "0")}:00`;
}
