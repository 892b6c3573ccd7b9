/**
 * Durations as people type them: `90s`, `30m`, `8h`, `2d`.
 *
 * @module
 */
const UNITS: readonly (readonly [seconds: number, letter: string])[] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "m"],
  [1, "s"],
];

/** The duration in seconds. Null if the text is not one, or is zero. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,9})\s*([smhd])$/i.exec(text.trim());
  const unit = UNITS.find(([, letter]) => letter === match?.[2]?.toLowerCase());
  if (match === null || unit === undefined) return null;
  const seconds = Number(match[1]) * unit[0];
  return seconds > 0 ? seconds : null;
}

/** In the largest unit that is exact, such as `90m`. */
export function durationText(seconds: number): string {
  const [size, letter] = UNITS.find(([unit]) => seconds % unit === 0) ?? [1, "s"];
  return `${seconds / size}${letter}`;
}

const WORDS: Readonly<Record<string, string>> = { s: "second", m: "minute", h: "hour", d: "day" };

/** The same in words, such as `1 hour` or `7 days`. */
export function lengthText(seconds: number): string {
  const text = durationText(seconds);
  const [count, letter] = [text.slice(0, -1), text.slice(-1)];
  return `${count} ${WORDS[letter] ?? letter}${count === "1" ? "" : "s"}`;
}
