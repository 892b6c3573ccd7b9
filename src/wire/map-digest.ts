/**
 * Digests of a map's content without versions. Management uses them to detect changes; an agent checks that
 * applying a delta gave the intended map. Both compute them from JSON with sorted keys.
 *
 * Digests of objects that maps share are cached, since maps are never changed in place.
 *
 * @module
 */
import { sha256 } from "../base/random.ts";
import type { NetworkMap } from "./network-map.ts";

const digests = new WeakMap<object, string>();

/** SHA-256, base64url. Two maps of one machine have equal digests exactly when their content is equal. */
export function digestOfMap(map: NetworkMap): string {
  const { protocolVersion, accountId, origin, epoch, self } = map;
  const shared = [map.settings, map.issuers, map.managementKeys].map(digestOf);
  const collections = [map.cas, map.users, map.peers, map.rules, map.revokedLogins].map(digestOfEntries);
  return sha256(
    JSON.stringify([protocolVersion, accountId, origin, epoch, canonical(self), ...shared, ...collections]),
  );
}

/** Digest of a keyed collection, over its keys and entries. */
export function digestOfEntries(entries: Readonly<Record<string, object>>): string {
  return remembered(entries, () =>
    Object.keys(entries)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${digestOf(entries[key] ?? {})}`)
      .join(","),
  );
}

/** Digest of one value or entry: SHA-256 of its JSON with sorted keys, base64url. */
export function digestOf(value: object): string {
  return remembered(value, () => canonical(value));
}

function remembered(value: object, text: () => string): string {
  const cached = digests.get(value);
  if (cached !== undefined) return cached;
  const digest = sha256(text());
  digests.set(value, digest);
  return digest;
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
  return `{${members.join(",")}}`;
}
