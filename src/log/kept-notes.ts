/**
 * The checkpoints that a witness keeps: the largest, and older ones from about a minute, an hour, a day, a
 * week and a month ago.
 *
 * @module
 */

export interface KeptNote {
  readonly atMs: number;
  readonly note: string;
}

const MINUTE_MS = 60_000;
const AGES_MS = [MINUTE_MS, 60 * MINUTE_MS, 1_440 * MINUTE_MS, 10_080 * MINUTE_MS, 43_200 * MINUTE_MS];

/**
 * Adds a larger checkpoint to `kept`, largest last. Of the others it keeps one per age: the oldest that is
 * not older than that.
 */
export function keepNote(kept: readonly KeptNote[], newest: KeptNote): KeptNote[] {
  const chosen = AGES_MS.flatMap((ageMs) => kept.find(({ atMs }) => newest.atMs - atMs <= ageMs) ?? []);
  const oldest = kept[0];
  const all = oldest === undefined ? [] : [oldest, ...chosen];
  const unique = [...new Set(all)].sort((a, b) => a.atMs - b.atMs);
  return [...unique.filter(({ atMs }) => newest.atMs - atMs <= 2 * (AGES_MS.at(-1) ?? 0)), newest];
}
