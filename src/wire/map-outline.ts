/**
 * Messages that bring a map up to date when only the agent knows what it has: after a restart of management,
 * at another management process, or after a long absence.
 *
 * The agent sends the digest of each *section* of its map (a value, or a keyed collection). For the
 * collections that differ, management sends an *outline*: the digests of *buckets*, into which keys fall by
 * their hash. The agent answers with what it holds in the buckets that differ, entry by entry, and management
 * makes a delta from that. So the traffic depends on what changed, and management need not remember what it
 * sent before.
 *
 * Digests are truncated here, since they only select what to send. The result of a delta is checked against
 * the digest of the whole map; on a mismatch a whole map is sent instead. Read `differencesFrom`,
 * `deltaFrom`.
 *
 * @module
 */
import { z } from "zod";
import { sha256 } from "../base/random.ts";
import { digestOf, digestOfEntries } from "./map-digest.ts";
import type { NetworkMap, NetworkMapDelta } from "./network-map.ts";

/** Characters of a digest that are sent: 48 bits. */
const SHORT = 8;
/** Average entries per bucket. */
const BUCKET_ENTRIES = 8;
/** Bounds an outline to 32 kB per collection. Larger collections have larger buckets. */
const BUCKETS_MAX = 4_096;
/** Most entries that an agent reports. Beyond that, sending the whole map is cheaper. */
export const HELD_ENTRIES_MAX = 8_192;

const VALUES = ["self", "settings", "issuers", "managementKeys"] as const;
const COLLECTIONS = ["cas", "users", "peers", "rules", "revokedLogins"] as const;

const ShortDigest = z.string().regex(/^[A-Za-z0-9_-]{8}$/, "is not a short digest");

/** Digest of each section of a map. */
export const MapSections = z.strictObject({
  /** Protocol, account, origin and epoch: what no delta can change. */
  identity: ShortDigest,
  self: ShortDigest,
  settings: ShortDigest,
  issuers: ShortDigest,
  managementKeys: ShortDigest,
  cas: ShortDigest,
  users: ShortDigest,
  peers: ShortDigest,
  rules: ShortDigest,
  revokedLogins: ShortDigest,
});
export type MapSections = z.infer<typeof MapSections>;

/** Digests of all buckets, concatenated; the length gives their number. */
const BucketDigests = z
  .string()
  .max(BUCKETS_MAX * SHORT)
  .regex(/^[A-Za-z0-9_-]+$/)
  .refine((text) => text.length % SHORT === 0, "is cut off");

/** Outlines of the collections that differ. Absent: equal. */
export const MapOutline = z.strictObject({
  cas: BucketDigests.optional(),
  users: BucketDigests.optional(),
  peers: BucketDigests.optional(),
  rules: BucketDigests.optional(),
  revokedLogins: BucketDigests.optional(),
});
export type MapOutline = z.infer<typeof MapOutline>;

const BucketNumber = z
  .int()
  .min(0)
  .max(BUCKETS_MAX - 1);
const HeldEntries = z.strictObject({
  /** The buckets that differ, each once and in order, which bounds the answer. */
  buckets: z.array(BucketNumber).max(BUCKETS_MAX).refine(isAscending, "are not in order"),
  /** All entries in these buckets, with their digests. */
  held: z.record(z.string().max(64), ShortDigest),
});

type HeldEntries = z.infer<typeof HeldEntries>;

function isAscending(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || number > (numbers[i - 1] ?? number));
}

/** What an agent holds where an outline differs. Absent: the collection matches. */
export const MapDifferences = z
  .strictObject({
    cas: HeldEntries.optional(),
    users: HeldEntries.optional(),
    peers: HeldEntries.optional(),
    rules: HeldEntries.optional(),
    revokedLogins: HeldEntries.optional(),
  })
  .refine((differences) => heldCount(differences) <= HELD_ENTRIES_MAX, "tells of too many entries");
export type MapDifferences = z.infer<typeof MapDifferences>;

type Collection = Readonly<Record<string, object>>;

interface Buckets {
  readonly keys: readonly (readonly string[])[];
  /** Bucket digests, as in an outline. */
  readonly digests: string;
}

/** Cached buckets of a collection, for its own size. */
const bucketsOfCollection = new WeakMap<Collection, Buckets>();

/** Section digests of `map`. */
export function sectionsOf(map: NetworkMap): MapSections {
  const { protocolVersion, accountId, origin, epoch } = map;
  return {
    identity: short(sha256(JSON.stringify([protocolVersion, accountId, origin, epoch]))),
    self: short(digestOf(map.self)),
    settings: short(digestOf(map.settings)),
    issuers: short(digestOf(map.issuers)),
    managementKeys: short(digestOf(map.managementKeys)),
    cas: short(digestOfEntries(map.cas)),
    users: short(digestOfEntries(map.users)),
    peers: short(digestOfEntries(map.peers)),
    rules: short(digestOfEntries(map.rules)),
    revokedLogins: short(digestOfEntries(map.revokedLogins)),
  };
}

/** Outline of the collections of `map` that differ from `held`. Null: no delta is possible from there. */
export function outlineFor(held: MapSections, map: NetworkMap): MapOutline | null {
  const wanted = sectionsOf(map);
  if (held.identity !== wanted.identity) return null;
  const outline: MapOutline = {};
  for (const name of COLLECTIONS) {
    if (held[name] !== wanted[name]) outline[name] = ownBuckets(map[name]).digests;
  }
  return outline;
}

/** What `map` holds where it differs from the outline. Null: too much to send. */
export function differencesFrom(map: NetworkMap, outline: MapOutline): MapDifferences | null {
  const differences: MapDifferences = {};
  for (const name of COLLECTIONS) {
    const wanted = outline[name];
    if (wanted === undefined) continue;
    const collection: Collection = map[name];
    const count = wanted.length / SHORT;
    const own = intoBuckets(collection, count);
    const buckets = Array.from({ length: count }, (_, i) => i).filter(
      (i) => bucketDigest(own.digests, i) !== bucketDigest(wanted, i),
    );
    if (buckets.length === 0) continue;
    const keys = buckets.flatMap((i) => own.keys[i] ?? []);
    const held = Object.fromEntries(keys.map((key) => [key, entryDigest(collection, key)]));
    differences[name] = { buckets, held };
  }
  return heldCount(differences) <= HELD_ENTRIES_MAX ? differences : null;
}

/** The delta to `map` from the map described by `held` and `differences`. */
export function deltaFrom(
  held: { readonly version: number; readonly sections: MapSections },
  differences: MapDifferences,
  map: NetworkMap,
): NetworkMapDelta {
  const delta: Record<string, unknown> = { fromVersion: held.version, toVersion: map.version };
  const wanted = sectionsOf(map);
  for (const name of VALUES) if (held.sections[name] !== wanted[name]) delta[name] = map[name];
  for (const name of COLLECTIONS) {
    const difference = differences[name];
    if (difference === undefined) continue;
    const collection: Collection = map[name];
    const { keys } = ownBuckets(collection);
    const theirs = new Map(Object.entries(difference.held));
    const put = difference.buckets
      .flatMap((i) => keys[i] ?? [])
      .filter((key) => theirs.get(key) !== entryDigest(collection, key))
      .map((key) => collection[key]);
    const gone = [...theirs.keys()].filter((key) => !Object.hasOwn(collection, key));
    delta[name] = { put, gone };
  }
  return delta as unknown as NetworkMapDelta;
}

function heldCount(differences: { readonly [name: string]: HeldEntries | undefined }): number {
  return Object.values(differences).reduce((sum, one) => sum + Object.keys(one?.held ?? {}).length, 0);
}

function ownBuckets(collection: Collection): Buckets {
  const found = bucketsOfCollection.get(collection);
  if (found !== undefined) return found;
  const wanted = Math.ceil(Object.keys(collection).length / BUCKET_ENTRIES);
  const buckets = intoBuckets(collection, Math.min(BUCKETS_MAX, Math.max(1, wanted)));
  bucketsOfCollection.set(collection, buckets);
  return buckets;
}

function intoBuckets(collection: Collection, count: number): Buckets {
  const keys: string[][] = Array.from({ length: count }, () => []);
  for (const key of Object.keys(collection)) keys[hashOf(key) % count]?.push(key);
  const digests = keys.map((bucket) =>
    short(
      sha256(
        bucket
          .sort()
          .map((key) => `${JSON.stringify(key)}:${entryDigest(collection, key)}`)
          .join(","),
      ),
    ),
  );
  return { keys, digests: digests.join("") };
}

function bucketDigest(digests: string, number: number): string {
  return digests.slice(number * SHORT, (number + 1) * SHORT);
}

function entryDigest(collection: Collection, key: string): string {
  return short(digestOf(collection[key] ?? {}));
}

function short(digest: string): string {
  return digest.slice(0, SHORT);
}

/** FNV-1a, 32 bits: spreads keys of any form evenly. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
