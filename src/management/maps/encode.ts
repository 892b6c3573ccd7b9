/**
 * Encoder of maps and deltas as JSON text. It compares and writes what many machines share once, not once for
 * each: equal collections in maps are the same objects (`policy/maps/shared-parts.ts`).
 *
 * @module
 */
import {
  COLLECTIONS,
  type CollectionDelta,
  diffCollection,
  isSame,
  VALUES,
} from "../../policy/maps/map-delta.ts";
import { digestOfMap } from "../../wire/map-digest.ts";
import { deltaFrom, type MapDifferences, type MapSections } from "../../wire/map-outline.ts";
import type { NetworkMap } from "../../wire/network-map.ts";

/** Characters of encoded collections that are cached. */
const KEPT_MAX = 32 * 1024 * 1024;

/** Encodes `{type: "map"}` and `{type: "delta"}` messages. Caches parts of them, up to `KEPT_MAX`. */
export interface MapEncoder {
  map(map: NetworkMap): string;
  /** Both maps are of one machine and epoch, `after` of a later version. */
  delta(before: NetworkMap, after: NetworkMap): string;
  /** A delta from a map of which only `held` and the differences are known. */
  deltaFrom(held: HeldMap, differences: MapDifferences, after: NetworkMap): string;
}

/** An agent's description of the map that it has. */
export interface HeldMap {
  readonly version: number;
  readonly sections: MapSections;
}

type Collection = Readonly<Record<string, object>>;

export function createMapEncoder(): MapEncoder {
  const written = new Map<object, string>();
  let keptLength = 0;
  /** By the earlier collection: the last later one, and the delta's text between them. */
  const between = new WeakMap<Collection, { readonly after: Collection; readonly text: string | null }>();

  function textOf(collection: Collection): string {
    const cached = written.get(collection);
    if (cached !== undefined) return cached;
    const text = JSON.stringify(collection);
    written.set(collection, text);
    keptLength += text.length;
    for (const [oldest, { length }] of written) {
      if (keptLength <= KEPT_MAX) break;
      written.delete(oldest);
      keptLength -= length;
    }
    return text;
  }

  function deltaOf(before: Collection, after: Collection): string | null {
    const cached = between.get(before);
    if (cached?.after === after) return cached.text;
    const delta = diffCollection(before, after);
    const text = delta === null ? null : JSON.stringify(delta satisfies CollectionDelta);
    between.set(before, { after, text });
    return text;
  }

  return {
    map(map) {
      const collections = new Set<string>(COLLECTIONS);
      const members = Object.entries(map).map(([name, value]) => {
        const text = collections.has(name) ? textOf(value as Collection) : JSON.stringify(value);
        return `"${name}":${text}`;
      });
      return `{"type":"map","map":{${members.join(",")}}}`;
    },
    delta(before, after) {
      const members = [`"fromVersion":${before.version}`, `"toVersion":${after.version}`];
      for (const name of VALUES) {
        if (!isSame(before[name], after[name])) members.push(`"${name}":${JSON.stringify(after[name])}`);
      }
      for (const name of COLLECTIONS) {
        const text = before[name] === after[name] ? null : deltaOf(before[name], after[name]);
        if (text !== null) members.push(`"${name}":${text}`);
      }
      return `{"type":"delta","digest":"${digestOfMap(after)}","delta":{${members.join(",")}}}`;
    },
    deltaFrom: (held, differences, after) =>
      JSON.stringify({
        type: "delta",
        digest: digestOfMap(after),
        delta: deltaFrom(held, differences, after),
      }),
  };
}
