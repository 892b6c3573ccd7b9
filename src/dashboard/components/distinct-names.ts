/**
 * Makes names distinct: those that several things share get a mark.
 *
 * @module
 */
export interface NamedThing {
  readonly id: string;
  readonly name: string;
  /** Tells it from others of the same name, such as an email address or a host name. */
  readonly mark: string;
}

/** Distinct names by id. */
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
