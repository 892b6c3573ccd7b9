/**
 * Sharing of map parts between machines: equal parts stay the same objects, so they are not stored, compared
 * or sent twice.
 *
 * @module
 */
import type { MapPeer, MapUser } from "../../wire/network-map.ts";
import {
  type AccountPeer,
  BROWSERS,
  everyGroup,
  keepGroups,
  type MapScope,
  type Narrowing,
  plainNarrowing,
} from "./compile.ts";

/**
 * `now` with equal parts taken from `before`; `before` itself when all are equal. Entries are compared by
 * identity.
 */
export function sharing(before: MapScope, now: MapScope): MapScope {
  const users = isSameRecord(before.users, now.users) ? before.users : now.users;
  const peers = isSameRecord(before.peers, now.peers) ? before.peers : now.peers;
  const rules = isSameRecord(before.rules, now.rules) ? before.rules : now.rules;
  const isUnchanged = users === before.users && peers === before.peers && rules === before.rules;
  return isUnchanged ? before : { users, peers, rules };
}

function isSameRecord(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key])
  );
}

/**
 * A narrowing that makes each entry once per remaining set of groups, and keeps it as long as the entity
 * itself.
 */
export function sharedNarrowing(): Narrowing {
  const users = new WeakMap<MapUser, Map<string, MapUser>>();
  const peers = new WeakMap<AccountPeer, Map<string, MapPeer>>();
  return {
    user(user, mentioned) {
      const key = keepGroups(everyGroup(user), mentioned).join(" ");
      return cached(users, user, key, () => plainNarrowing.user(user, mentioned));
    },
    peer(peer, mentioned) {
      const own = keepGroups(peer.groups, mentioned).join(" ");
      const kind = peer.isBrowser === true && mentioned.has(BROWSERS) ? "/browser" : "";
      const key = `${own}/${keepGroups(peer.vouchedGroups, mentioned).join(" ")}${kind}`;
      return cached(peers, peer, key, () => plainNarrowing.peer(peer, mentioned));
    },
  };
}

function cached<E extends object, V>(
  cache: WeakMap<E, Map<string, V>>,
  entity: E,
  key: string,
  make: () => V,
): V {
  const values = cache.get(entity) ?? new Map<string, V>();
  const value = values.get(key) ?? make();
  values.set(key, value);
  cache.set(entity, values);
  return value;
}
