/**
 * Lookups from a key to several values, changed in place.
 *
 * @module
 */

/** A lookup from a key to several values. A key without values is removed. */
export class KeyIndex<V> {
  readonly sets = new Map<string, Set<V>>();
  static readonly #none: ReadonlySet<never> = new Set();

  of(key: string): ReadonlySet<V> {
    return this.sets.get(key) ?? KeyIndex.#none;
  }

  add(key: string, value: V): void {
    const set = this.sets.get(key);
    if (set === undefined) this.sets.set(key, new Set([value]));
    else set.add(value);
  }

  delete(key: string, value: V): void {
    const set = this.sets.get(key);
    if (set?.delete(value) === true && set.size === 0) this.sets.delete(key);
  }
}
