import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { applyDelta, diffMaps, isSame } from "../../../src/policy/maps/map-delta.ts";
import type { NetworkMap } from "../../../src/wire/network-map.ts";
import { NetworkMapDelta } from "../../../src/wire/network-map.ts";
import { aMap, anId, aPeer, aRule, aUser } from "../../support/policy.ts";

/** Any map of one machine: some of a few users, peers and rules, each in one of a few states. */
const anyMap: fc.Arbitrary<NetworkMap> = fc
  .record({
    users: fc.uniqueArray(fc.tuple(fc.constantFrom("a", "b", "c"), fc.boolean()), {
      selector: ([name]) => name,
    }),
    peers: fc.uniqueArray(fc.tuple(fc.constantFrom("p", "q", "r"), fc.boolean()), {
      selector: ([name]) => name,
    }),
    rules: fc.uniqueArray(fc.tuple(fc.constantFrom("x", "y", "z"), fc.boolean()), {
      selector: ([name]) => name,
    }),
    maxStaleSeconds: fc.constantFrom(60, 3600),
    sshEnabled: fc.boolean(),
  })
  .map(({ users, peers, rules, maxStaleSeconds, sshEnabled }) => {
    const base = aMap({});
    const byId = <T extends { id: string }>(all: T[]) =>
      Object.fromEntries(all.sort((a, b) => (a.id < b.id ? -1 : 1)).map((one) => [one.id, one]));
    return {
      ...base,
      self: { ...base.self, sshEnabled },
      settings: { ...base.settings, maxStaleSeconds },
      users: byId(users.map(([name, isIn]) => aUser(name, isIn ? ["devs"] : []))),
      peers: byId(peers.map(([name, isIn]) => aPeer(name, isIn ? ["laptops"] : []))),
      rules: byId(rules.map(([name, isOn]) => aRule(name, ["devs"], ["deploy"], { enabled: isOn }))),
    };
  });

describe("diffMaps and applyDelta", () => {
  test("lead from any map to any other", () => {
    fc.assert(
      fc.property(anyMap, anyMap, (before, content) => {
        const after = { ...content, version: before.version + 1 };
        const delta = diffMaps(before, after);
        if (delta === null) {
          expect(after).toEqual({ ...before, version: after.version });
          return;
        }
        // What goes over the wire is what is applied.
        const sent = NetworkMapDelta.parse(JSON.parse(JSON.stringify(delta)));
        expect(applyDelta(before, sent)).toEqual(after);
      }),
    );
  });

  test("lead there in two steps as in one", () => {
    fc.assert(
      fc.property(anyMap, anyMap, anyMap, (first, second, third) => {
        const middle = { ...second, version: first.version + 1 };
        const last = { ...third, version: first.version + 2 };
        const step = (from: NetworkMap, to: NetworkMap) =>
          applyDelta(from, diffMaps(from, to) ?? { fromVersion: from.version, toVersion: to.version });
        const half = step(first, middle);
        expect(half === null ? null : step(half, last)).toEqual(step(first, last));
      }),
    );
  });

  test("leave the map before untouched", () => {
    fc.assert(
      fc.property(anyMap, anyMap, (before, content) => {
        const copy = structuredClone(before);
        const delta = diffMaps(before, { ...content, version: before.version + 1 });
        if (delta !== null) applyDelta(before, delta);
        expect(before).toEqual(copy);
      }),
    );
  });
});

describe("applyDelta", () => {
  const map = aMap({});
  test.each([
    { name: "for an older map", fromVersion: map.version - 1, toVersion: map.version + 1 },
    { name: "for a newer map", fromVersion: map.version + 1, toVersion: map.version + 2 },
    { name: "that leads back", fromVersion: map.version, toVersion: map.version },
  ])("refuses a delta $name", ({ fromVersion, toVersion }) => {
    expect(applyDelta(map, { fromVersion, toVersion })).toBeNull();
  });

  test("takes a delta that changes nothing but the version", () => {
    const { version } = map;
    expect(applyDelta(map, { fromVersion: version, toVersion: version + 1 })?.version).toBe(version + 1);
  });

  test("is not led astray by names that objects have by themselves", () => {
    const rule = aRule("r", ["devs"], ["deploy"], { id: "constructor" });
    const before = { ...map, version: 1 };
    const after = { ...map, version: 2, rules: { ...map.rules, [rule.id]: rule } };
    const delta = diffMaps(before, after);
    expect(delta?.rules?.put).toEqual([rule]);
  });
});

describe("isSame", () => {
  test.each([
    { a: { x: 1, y: 2 }, b: { y: 2, x: 1 }, same: true },
    { a: [1, 2], b: [2, 1], same: false },
    { a: { x: undefined }, b: {}, same: false },
    { a: [], b: {}, same: false },
    { a: null, b: {}, same: false },
    { a: anId("a"), b: anId("a"), same: true },
  ])("of $a and $b is $same", ({ a, b, same }) => {
    expect(isSame(a, b)).toBe(same);
  });
});
