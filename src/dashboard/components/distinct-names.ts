/**
 * Names under which things are told apart: their own, and where two have the same one, with something more.
 *
 * @module
 */
export interface NamedThing {
  readonly id: string;
  readonly name: string;
  /** What tells it from another of that name: an address, a host name. */
  readonly mark: string;
}

/** By id. No two are the same. */
export function distinctNames(things: readonly NamedThing[]): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  for (const { name } of things) counts.set(name, (counts.get(name) ?? 0) + 1);
  const taken = new Set<string>();
  return new Map(
    things.map(({ id, name, mark }) => {
      const marked = counts.get(name) === 1 ? name : `${name} (${mark})`;
      const shown = taken.has(marked) ? `${name} (${id})` : marked;
      taken.add(shown);
      return [id, shown];
    }),
  );
}
