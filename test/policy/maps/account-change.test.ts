import { expect, test } from "bun:test";
import { changed, isSameSource } from "../../../src/policy/maps/account-change.ts";
import type { AccountPeer } from "../../../src/policy/maps/compile.ts";
import { aPeer } from "../../support/policy.ts";

const isEqual = (a: number, b: number): boolean => a === b;
const now = new Map([
  ["a", 1],
  ["b", 2],
]);

test.each<[string, [string, number | null][], [string, number | null][]]>([
  ["nothing", [], []],
  ["the same", [["a", 1]], []],
  ["another value", [["a", 3]], [["a", 3]]],
  ["a new entity", [["c", 1]], [["c", 1]]],
  ["one that is gone", [["b", null]], [["b", null]]],
  ["one that never was", [["c", null]], []],
])("of a change with %s is left what changes something", (_, changes, wanted) => {
  expect([...changed(now, new Map(changes), isEqual)]).toEqual(wanted);
});

const peer: AccountPeer = { ...aPeer("laptop", ["devs"]), sshEnabled: true };

test("a peer is the same source whether or not SSH is enabled for it", () => {
  expect(isSameSource(peer, { ...peer, sshEnabled: false })).toBe(true);
});

test.each<[string, Partial<AccountPeer>]>([
  ["status", { status: "blocked" }],
  ["groups", { groups: [] }],
  ["posture", { posturePassed: ["x"] }],
  ["owner", { ownerUserId: "other" }],
  ["vouched groups", { vouchedGroups: ["x"] }],
])("a peer with another %s is another source", (_, change) => {
  expect(isSameSource(peer, { ...peer, ...change })).toBe(false);
});
