/**
 * Changes of an account, entity by entity, and the comparison that leaves out those which change nothing.
 *
 * @module
 */
import type { MapRule, MapUser } from "../../wire/network-map.ts";
import type { PeerId } from "../../wire/units.ts";
import type { AccountPeer, MapCommon } from "./compile.ts";
import { isSame } from "./map-delta.ts";

/** Changed entities by id, as they are now; null: gone. An entity that is not in it has not changed. */
export interface AccountChange {
  readonly common: MapCommon;
  readonly users: ReadonlyMap<string, MapUser | null>;
  readonly peers: ReadonlyMap<PeerId, AccountPeer | null>;
  readonly rules: ReadonlyMap<string, MapRule | null>;
}

/** Those of `changes` after which the entity is not the same as in `now`. */
export function changed<V>(
  now: ReadonlyMap<string, V>,
  changes: ReadonlyMap<string, V | null>,
  isEqual: (a: V, b: V) => boolean,
): Map<string, V | null> {
  const found = new Map<string, V | null>();
  for (const [id, value] of changes) {
    const old = now.get(id) ?? null;
    const isUnchanged = old === null || value === null ? old === value : isEqual(old, value);
    if (!isUnchanged) found.set(id, value);
  }
  return found;
}

/** Whether two states of a peer are the same to rules: the rest only counts for its own map. */
export function isSameSource(a: AccountPeer, b: AccountPeer): boolean {
  return isSame(asSource(a), asSource(b));
}

function asSource({ sshEnabled: _, approvals: __, require: ___, ...source }: AccountPeer): object {
  return source;
}
