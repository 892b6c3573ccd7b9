import { expect, test } from "bun:test";
import { digestOf, digestOfEntries, digestOfMap } from "../../src/wire/map-digest.ts";
import type { NetworkMap } from "../../src/wire/network-map.ts";
import { aMap, anId, aRule, aUser } from "../support/policy.ts";

const map = (change: Partial<NetworkMap> = {}): NetworkMap =>
  aMap({ users: [aUser("ann", ["devs"])], rules: [aRule("r", ["devs"], ["deploy"])], change });

test("two maps that say the same have the same digest, whatever their version and order of keys", () => {
  const turned = Object.fromEntries(Object.entries(map()).reverse()) as NetworkMap;
  expect(digestOfMap(turned)).toBe(digestOfMap(map()));
  expect(digestOfMap(map({ version: 99 }))).toBe(digestOfMap(map()));
});

test.each<[string, Partial<NetworkMap>]>([
  ["epoch", { epoch: 2 }],
  ["account", { accountId: anId("other") }],
  ["origin", { origin: "https://other.example.com" }],
  ["self", { self: { ...map().self, sshEnabled: false } }],
  ["settings", { settings: { ...map().settings, maxStaleSeconds: 1 } }],
  ["users", { users: {} }],
  ["rules", { rules: {} }],
  ["a rule", { rules: { [anId("r")]: aRule("r", ["devs"], ["root"]) } }],
  ["revoked logins", { revokedLogins: { x: { id: "x".repeat(43), untilSeconds: 1 } } }],
])("a map with another %s has another digest", (_, change) => {
  expect(digestOfMap(map(change))).not.toBe(digestOfMap(map()));
});

test("an absent field and an undefined one are the same, an empty list is not", () => {
  expect(digestOf({ a: 1, b: undefined })).toBe(digestOf({ a: 1 }));
  expect(digestOf({ a: 1, b: [] })).not.toBe(digestOf({ a: 1 }));
  expect(digestOf({ a: null })).not.toBe(digestOf({}));
});

test("the key of an entry counts, not only the entry", () => {
  expect(digestOfEntries({ a: { x: 1 } })).not.toBe(digestOfEntries({ b: { x: 1 } }));
  expect(digestOfEntries({ a: { x: 1 }, b: { x: 2 } })).toBe(digestOfEntries({ b: { x: 2 }, a: { x: 1 } }));
});
