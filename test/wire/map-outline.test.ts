import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { applyDelta, COLLECTIONS, VALUES } from "../../src/policy/maps/map-delta.ts";
import { digestOfMap } from "../../src/wire/map-digest.ts";
import {
  deltaFrom,
  differencesFrom,
  HELD_ENTRIES_MAX,
  MapDifferences,
  MapOutline,
  MapSections,
  outlineFor,
  sectionsOf,
} from "../../src/wire/map-outline.ts";
import { NetworkMap, NetworkMapDelta } from "../../src/wire/network-map.ts";
import { aMap, anId, aPeer, aRule, aUser } from "../support/policy.ts";

const sent = <T>(value: T): unknown => JSON.parse(JSON.stringify(value));

/** As it goes over the wire, both ways. Null: the whole map has to be sent. */
function caughtUp(held: NetworkMap, wanted: NetworkMap): { delta: NetworkMapDelta; bytes: number } | null {
  const sections = MapSections.parse(sent(sectionsOf(held)));
  const outline = outlineFor(sections, wanted);
  if (outline === null) return null;
  const differences = differencesFrom(held, MapOutline.parse(sent(outline)));
  if (differences === null) return null;
  const delta = deltaFrom(
    { version: held.version, sections },
    MapDifferences.parse(sent(differences)),
    wanted,
  );
  const bytes = [outline, differences, delta].map((one) => JSON.stringify(one).length);
  return { delta: NetworkMapDelta.parse(sent(delta)), bytes: bytes.reduce((sum, one) => sum + one) };
}

/** How often each user, peer and rule has changed, up to a hundred of each; 0: it is not there. */
const anyStates = fc.array(fc.constantFrom(0, 1, 1, 1, 2), { maxLength: 100 });
const anyMap = fc
  .record({
    users: anyStates,
    peers: anyStates,
    rules: anyStates,
    maxStaleSeconds: fc.constantFrom(60, 3600),
    sshEnabled: fc.boolean(),
  })
  .map(({ users, peers, rules, maxStaleSeconds, sshEnabled }): NetworkMap => {
    const some = <T>(states: readonly number[], make: (word: string, state: number) => T): T[] =>
      states.flatMap((state, i) => (state === 0 ? [] : [make(`x${i}`, state)]));
    const { self, settings } = aMap({});
    return sorted(
      aMap({
        users: some(users, (word, state) => aUser(word, [`g${state}`])),
        peers: some(peers, (word, state) => aPeer(word, [`g${state}`])),
        rules: some(rules, (word, state) => aRule(word, ["g1"], ["deploy"], { enabled: state === 1 })),
        change: { self: { ...self, sshEnabled }, settings: { ...settings, maxStaleSeconds } },
      }),
    );
  });

function sorted(map: NetworkMap): NetworkMap {
  const byKey = <T>(entries: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...map, users: byKey(map.users), peers: byKey(map.peers), rules: byKey(map.rules) };
}

describe("an outline, and the differences from it", () => {
  test("are of every section that a delta may change", () => {
    const names = Object.keys(MapSections.shape).filter((name) => name !== "identity");
    expect(names.sort()).toEqual([...VALUES, ...COLLECTIONS].sort());
    for (const schema of [MapOutline, MapDifferences]) {
      expect(Object.keys(schema.shape).sort()).toEqual([...COLLECTIONS].sort());
    }
    const delta = new Set(Object.keys(NetworkMapDelta.shape));
    expect(names.every((name) => delta.has(name))).toBe(true);
    // What is neither in a delta nor in `identity` would never be brought up to date.
    const rest = Object.keys(NetworkMap.shape).filter((name) => !delta.has(name));
    expect(rest).toEqual(["protocolVersion", "accountId", "origin", "epoch", "version"]);
  });

  test("lead from any map to any other, by its digest", () => {
    fc.assert(
      fc.property(anyMap, anyMap, (held, content) => {
        const wanted = { ...content, version: held.version + 7 };
        const found = caughtUp(held, wanted);
        const after = found === null ? null : applyDelta(held, found.delta);
        expect(after).toEqual(wanted);
        expect(digestOfMap(after as NetworkMap)).toBe(digestOfMap(wanted));
      }),
      { numRuns: 200 },
    );
  });

  test("cost little more than what changed", () => {
    const users = Array.from({ length: 20_000 }, (_, i) => aUser(`user${i}`, ["devs"]));
    const held = sorted(aMap({ users }));
    for (const count of [1, 10, 100]) {
      const changed = users.map((user, i) => (i < count ? { ...user, name: "changed" } : user));
      const found = caughtUp(held, { ...sorted(aMap({ users: changed })), version: 2 });
      expect(found?.delta.users?.put).toHaveLength(count);
      const whole = JSON.stringify(held).length;
      expect(found?.bytes).toBeLessThan(24_000 + count * 800);
      expect(whole).toBeGreaterThan(4_000_000);
    }
  });

  test("put nothing that is there already and take nothing that stays, in a crowded bucket as well", () => {
    const [ada, bob, eve] = ["ada", "bob", "eve"].map((name) => aUser(name, ["devs"]));
    if (ada === undefined || bob === undefined || eve === undefined) throw new Error("three people");
    const held = sorted(aMap({ users: [ada, bob] }));
    const found = caughtUp(held, { ...sorted(aMap({ users: [bob, eve] })), version: 2 });
    expect(found?.delta).toEqual({ fromVersion: 1, toVersion: 2, users: { put: [eve], gone: [ada.id] } });
  });

  test.each([
    { name: "again and again", buckets: Array<number>(4_096).fill(0) },
    { name: "out of order", buckets: [1, 0] },
  ])("name no bucket $name: what is answered is no more than there is", ({ buckets }) => {
    expect(MapDifferences.safeParse({ users: { buckets, held: {} } }).success).toBe(false);
    expect(MapDifferences.safeParse({ users: { buckets: [0, 1], held: {} } }).success).toBe(true);
  });

  test.each([
    { name: "another epoch", change: { epoch: 2 } },
    { name: "another account", change: { accountId: anId("other") } },
    { name: "another management", change: { origin: "https://other.example.com" } },
    { name: "another protocol", change: { protocolVersion: 2 } },
  ])("do not lead to a map of $name", ({ change }) => {
    expect(outlineFor(sectionsOf(aMap({})), aMap({ change }))).toBeNull();
  });

  test("give way to the whole map where most of it differs", () => {
    const users = Array.from({ length: HELD_ENTRIES_MAX + 1 }, (_, i) => aUser(`user${i}`, ["devs"]));
    const held = sorted(aMap({ users }));
    expect(differencesFrom(held, outlineFor(sectionsOf(held), aMap({})) ?? {})).toBeNull();
    const tooMany = { users: { buckets: [0], held: sectionsByUser(users) } };
    expect(MapDifferences.safeParse(tooMany).success).toBe(false);
  });

  test("of one that lies about what it has lead at most to a map that its digest refuses", () => {
    const held = sorted(aMap({ users: [aUser("ada", ["devs"])] }));
    const wanted = { ...sorted(aMap({ users: [aUser("ada", ["ops"])] })), version: 2 };
    const lie = { users: { buckets: [0], held: { ["__proto__"]: "AAAAAAAA", constructor: "AAAAAAAA" } } };
    const position = { version: 1, sections: sectionsOf(held) };
    for (const differences of [{}, lie, { users: { buckets: [4_095], held: {} } }]) {
      const after = applyDelta(held, deltaFrom(position, differences, wanted));
      if (after !== null && digestOfMap(after) === digestOfMap(wanted)) expect(after).toEqual(wanted);
    }
  });
});

function sectionsByUser(users: readonly { readonly id: string }[]): Record<string, string> {
  return Object.fromEntries(users.map(({ id }) => [id, "AAAAAAAA"]));
}
