/**
 * Conversion between names in a policy file and ids of an account.
 *
 * Names match exactly (NFC, case-sensitive); otherwise they are refused with similar names as suggestions.
 * `id:…` is an id. A person is `issuer|subject`, an id, or an e-mail address that exactly one active person
 * has. Nothing is guessed.
 *
 * @module
 */
import { nameKey } from "../../wire/name-key.ts";
import type { MapUser } from "../../wire/network-map.ts";
import type { AccountPeerEntry, PolicyAccount } from "../../wire/policy-account.ts";

/** Result of looking up a name. */
export type NameLookup =
  | { readonly kind: "found"; readonly id: string }
  /** No such name; `candidates` are similar. */
  | { readonly kind: "unknown"; readonly candidates: readonly string[] }
  /** Several have it; `candidates` are their ids, as a file may write them. */
  | { readonly kind: "ambiguous"; readonly candidates: readonly string[] };

/** Lookups by name, and names by id, over one account. */
export interface AccountNames {
  readonly group: Naming;
  readonly postureCheck: Naming;
  readonly policy: Naming;
  /** Any peer, by display name, DNS name, or DNS name with the account's domain. */
  readonly peer: Naming;
  readonly machine: Naming;
  readonly device: Naming;
  readonly person: Naming;
}

/** One kind of thing. */
export interface Naming {
  find(name: string): NameLookup;
  /** The shortest name that finds only this, otherwise `id:…`. */
  nameOf(id: string): string;
}

/** Most names that a refusal proposes. */
const CANDIDATES_MAX = 3;

/** The names of `account`. Linear in its size. */
export function namesOf(account: PolicyAccount): AccountNames {
  const { domain } = account.settings;
  const peers = (list: readonly AccountPeerEntry[]): Naming =>
    namingOf(list.map((peer) => [peer.id, [peer.shownName, peer.dnsName, `${peer.dnsName}.${domain}`]]));
  return {
    group: namingOf(account.groups.map(({ id, name }) => [id, [name]])),
    postureCheck: namingOf(account.postureChecks.map(({ id, name }) => [id, [name]])),
    policy: namingOf(account.policies.map(({ id, name }) => [id, [name]])),
    peer: peers(account.peers),
    machine: peers(account.peers.filter(({ kind }) => kind === "machine")),
    device: peers(account.peers.filter(({ kind }) => kind === "device")),
    person: namingOf(account.users.map((user) => [user.id, namesOfPerson(user)])),
  };
}

/** An e-mail address names a person only while they are active. Service users have a name instead. */
function namesOfPerson(user: MapUser): string[] {
  const identity = `${user.issuer}|${user.subject}`;
  if (user.status !== "active") return [identity];
  if (user.isService) return [user.name, identity];
  return user.email === "" ? [identity] : [user.email, identity];
}

function namingOf(entries: readonly (readonly [id: string, names: readonly string[]])[]): Naming {
  const ids = new Map(entries);
  const byName = new Map<string, Set<string>>();
  const keyed = new Map<string, Set<string>>();
  for (const [id, names] of entries) {
    for (const name of names) {
      if (name === "") continue;
      put(byName, name.normalize("NFC"), id);
      put(keyed, nameKey(name), id);
    }
  }
  const find = (written: string): NameLookup => {
    const name = written.normalize("NFC");
    if (name.startsWith("id:")) {
      const id = name.slice(3);
      return ids.has(id) ? { kind: "found", id } : { kind: "unknown", candidates: [] };
    }
    const [id, ...others] = byName.get(name) ?? [];
    if (id === undefined) return { kind: "unknown", candidates: near(name, byName, keyed) };
    // A name that looks the same in other characters counts as the same.
    const alike = [...new Set([id, ...others, ...(keyed.get(nameKey(name)) ?? [])])];
    if (alike.length === 1) return { kind: "found", id };
    if (others.length === 0 && !name.includes("@")) return { kind: "found", id };
    return { kind: "ambiguous", candidates: alike.map((one) => `id:${one}`).slice(0, CANDIDATES_MAX) };
  };
  const nameOf = (id: string): string => {
    const name = (ids.get(id) ?? []).find((one) => {
      const found = one === "" || one.startsWith("id:") ? undefined : find(one);
      return found?.kind === "found" && found.id === id;
    });
    return name ?? `id:${id}`;
  };
  return { find, nameOf };
}

/** Names that look like this one, otherwise names within a typing error. */
function near(
  name: string,
  byName: ReadonlyMap<string, unknown>,
  keyed: ReadonlyMap<string, unknown>,
): string[] {
  const key = nameKey(name);
  const all = [...byName.keys()];
  if (keyed.has(key)) return all.filter((one) => nameKey(one) === key).slice(0, CANDIDATES_MAX);
  const bound = key.length < 3 ? 1 : 2;
  return all
    .map((one) => ({ one, distance: distanceOf(key, nameKey(one), bound) }))
    .filter(({ distance }) => distance <= bound)
    .sort((a, b) => a.distance - b.distance || (a.one < b.one ? -1 : 1))
    .slice(0, CANDIDATES_MAX)
    .map(({ one }) => one);
}

/** Edit distance from `a` to `b`, not counted beyond `bound`. */
function distanceOf(a: string, b: string, bound: number): number {
  if (Math.abs(a.length - b.length) > bound || a.length > 256) return bound + 1;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
    if (Math.min(...row) > bound) return bound + 1;
  }
  return row[b.length] ?? bound + 1;
}

function put(map: Map<string, Set<string>>, key: string, id: string): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([id]));
  else set.add(id);
}
