import { expect, test } from "bun:test";
import fc from "fast-check";
import { createMapEncoder } from "../../../src/management/maps/encode.ts";
import { applyDelta } from "../../../src/policy/maps/map-delta.ts";
import { ManagementMessage } from "../../../src/wire/agent-sync.ts";
import { digestOfMap } from "../../../src/wire/map-digest.ts";
import type { NetworkMap } from "../../../src/wire/network-map.ts";
import { aMap, aPeer, aRule, aUser } from "../../support/policy.ts";

const WORDS = ["a", "b", "c"];
const byId = <T extends { id: string }>(all: T[]): Record<string, T> =>
  Object.fromEntries(all.sort((a, b) => (a.id < b.id ? -1 : 1)).map((one) => [one.id, one]));

/** Some of a few collections, each of which several maps have as the same object. */
const USERS = [[], ["a"], ["a", "b"]].map((words) => byId(words.map((word) => aUser(word, ["devs"]))));
const PEERS = [[], ["a"], ["b", "c"]].map((words) => byId(words.map((word) => aPeer(word, []))));
const anyMap: fc.Arbitrary<NetworkMap> = fc
  .record({
    users: fc.constantFrom(...USERS),
    peers: fc.constantFrom(...PEERS),
    rules: fc.subarray(WORDS).map((words) => byId(words.map((word) => aRule(word, ["devs"], ["deploy"])))),
    sshEnabled: fc.boolean(),
    maxStaleSeconds: fc.constantFrom(60, 3600),
  })
  .map(({ users, peers, rules, sshEnabled, maxStaleSeconds }) => {
    const base = aMap({});
    const settings = { ...base.settings, maxStaleSeconds };
    return { ...base, users, peers, rules, settings, self: { ...base.self, sshEnabled } };
  });

test("what is written leads any agent from map to map, however much is shared", () => {
  const encoder = createMapEncoder();
  fc.assert(
    fc.property(fc.array(anyMap, { minLength: 2, maxLength: 6 }), (contents) => {
      const maps = contents.map((map, i) => ({ ...map, version: i + 1 }));
      const [first] = maps as [NetworkMap];
      const whole = ManagementMessage.parse(JSON.parse(encoder.map(first)));
      expect(whole).toEqual({ type: "map", map: first });
      let held = first;
      for (const map of maps.slice(1)) {
        const message = ManagementMessage.parse(JSON.parse(encoder.delta(held, map)));
        if (message.type !== "delta") throw new Error("no delta");
        held = applyDelta(held, message.delta) as NetworkMap;
        expect(held).toEqual(map);
        expect(message.digest).toBe(digestOfMap(map));
      }
    }),
  );
});
