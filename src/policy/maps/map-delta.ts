/**
 * Deltas between two maps of one machine. Management computes them and the agent applies them. Pure; a
 * property test checks that `applyDelta(a, diffMaps(a, b))` equals `b`.
 *
 * @module
 */
import type { NetworkMap, NetworkMapDelta } from "../../wire/network-map.ts";

/** Map fields that are keyed collections: a delta lists their entries one by one. */
export const COLLECTIONS = ["cas", "users", "peers", "rules", "revokedLogins"] as const;
/** Map fields that a delta contains whole or not at all. */
export const VALUES = ["self", "settings", "issuers", "managementKeys"] as const;

/** The delta from `before` to `after`, or null when only versions differ. Both are of one peer and epoch. */
export function diffMaps(before: NetworkMap, after: NetworkMap): NetworkMapDelta | null {
  const delta: Record<string, unknown> = { fromVersion: before.version, toVersion: after.version };
  for (const name of VALUES) if (!isSame(before[name], after[name])) delta[name] = after[name];
  for (const name of COLLECTIONS) {
    const change = diffCollection(before[name], after[name]);
    if (change !== null) delta[name] = change;
  }
  return Object.keys(delta).length === 2 ? null : (delta as unknown as NetworkMapDelta);
}

/** Entries set whole, and removed keys. */
export interface CollectionDelta {
  readonly put: readonly unknown[];
  readonly gone: readonly string[];
}

/** The change of one keyed collection. Null: none. Identical objects are not compared in depth. */
export function diffCollection(
  old: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): CollectionDelta | null {
  if (old === now) return null;
  const put = Object.keys(now)
    .filter((key) => !Object.hasOwn(old, key) || !isSame(old[key], now[key]))
    .map((key) => now[key]);
  const gone = Object.keys(old).filter((key) => !Object.hasOwn(now, key));
  return put.length > 0 || gone.length > 0 ? { put, gone } : null;
}

/**
 * `map` with `delta` applied. Null when the delta is not based on `map`; the agent then asks for the whole
 * map.
 */
export function applyDelta(map: NetworkMap, delta: NetworkMapDelta): NetworkMap | null {
  if (delta.fromVersion !== map.version || delta.toVersion <= map.version) return null;
  const next: Record<string, unknown> = { ...map, version: delta.toVersion };
  for (const name of VALUES) if (delta[name] !== undefined) next[name] = delta[name];
  for (const name of COLLECTIONS) {
    const change = delta[name];
    if (change === undefined) continue;
    const entries: Record<string, unknown> = { ...map[name] };
    for (const key of change.gone) delete entries[key];
    for (const entry of change.put) entries[entry.id] = entry;
    next[name] = Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  return next as unknown as NetworkMap;
}

/** Deep equality of plain JSON values; key order does not count. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => isSame(item, b[i]));
  }
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every(
    (key) =>
      Object.hasOwn(b, key) &&
      isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
  );
}
