/**
 * Writes maps and deltas as JSON text. What many machines share is compared and written once, not once for
 * each: collections of maps that say the same are the same objects (`policy/maps/shared-parts.ts`).
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

/** Characters of written collections that are kept. */
const KEPT_MAX = 32 * 1024 * 1024;

/** Writes `{type: "map"}` and `{type: "delta"}` messages. Remembers parts of them, within a bound. */
export interface MapEncoder {
  map(map: NetworkMap): string;
  /** Both are of one machine and epoch, `after` of a later version. */
  delta(before: NetworkMap, after: NetworkMap): string;
  /** From a map of which only this is known. */
  deltaFrom(held: HeldMap, differences: MapDifferences, after: NetworkMap): string;
}

/** What an agent says of the map that it has. */
export interface HeldMap {
  readonly version: number;
  readonly sections: MapSections;
}

type Collection = Readonly<Record<string, object>>;

export function createMapEncoder(): MapEncoder {
  const written = new Map<object, string>();
  let keptLength = 0;
  /** By the collection before: the last one after it, and what is between them. */
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
