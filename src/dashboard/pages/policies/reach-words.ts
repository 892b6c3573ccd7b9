/**
 * The people and machines that a rule concerns, in words.
 *
 * @module
 */
interface Reach {
  readonly people: number | null;
  readonly machines: number | null;
}

export function reachWords({ people, machines }: Reach): string {
  return `${counted(people, "person", "people")} × ${counted(machines, "machine", "machines")}`;
}

function counted(count: number | null, one: string, many: string): string {
  return `${(count ?? 0).toLocaleString("en")} ${count === 1 ? one : many}`;
}
