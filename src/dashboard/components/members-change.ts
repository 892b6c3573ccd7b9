/**
 * The change of a group's members, in at most two lines.
 *
 * @module
 */

/** Names listed in one line; the others are counted. */
const NAMES_MAX = 8;

/** A line for those who join and one for those who leave. Empty if nothing changes. */
export function membersChange(
  before: readonly string[],
  now: readonly string[],
  nameOf: (id: string) => string,
): string[] {
  const was = new Set(before);
  const is = new Set(now);
  const joined = now.filter((id) => !was.has(id)).map(nameOf);
  const left = before.filter((id) => !is.has(id)).map(nameOf);
  return [
    ...(joined.length === 0 ? [] : [`Joins: ${listed(joined)}.`]),
    ...(left.length === 0 ? [] : [`Leaves: ${listed(left)}.`]),
  ];
}

function listed(names: readonly string[]): string {
  const more = names.length - NAMES_MAX;
  const shown = names.slice(0, NAMES_MAX).join(", ");
  return more > 0 ? `${shown} and ${more.toLocaleString("en")} more` : shown;
}
