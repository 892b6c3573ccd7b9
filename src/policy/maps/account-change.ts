/**
 * Changes of an account by entity, and the comparison that drops changes without effect.
 *
 * @module
 */
import type { MapRule, MapUser } from "../../wire/network-map.ts";
import type { PeerId } from "../../wire/units.ts";
import type { AccountPeer, MapCommon } from "./compile.ts";
import { isSame } from "./map-delta.ts";

/** Changed entities by id, in their new state; null: deleted. Entities not listed are unchanged. */
export interface AccountChange {
  readonly common: MapCommon;
  readonly users: ReadonlyMap<string, MapUser | null>;
  readonly peers: ReadonlyMap<PeerId, AccountPeer | null>;
  readonly rules: ReadonlyMap<string, MapRule | null>;
}

/** Those of `changes` that differ from the entity in `now`. */
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

/** Whether two states of a peer are equal as a rule's source. Other fields affect only its own map. */
export function isSameSource(a: AccountPeer, b: AccountPeer): boolean {
  return isSame(asSource(a), asSource(b));
}

function asSource({ sshEnabled: _, approvals: __, require: ___, ...source }: AccountPeer): object {
  return source;
}
