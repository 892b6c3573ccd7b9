import { expect, test } from "bun:test";
import { floorsOf } from "../../../src/policy/code/machine-floors.ts";
import type { Floor } from "../../../src/policy/decide/obligations.ts";
import type { AccountPeer } from "../../../src/policy/maps/compile.ts";
import { aMap, aPeer } from "../../support/policy.ts";

const { settings } = aMap({});
const floor: Floor = { record: "best_effort", reason: false, approval: true, reauthWithinSeconds: 60 };
const peer = (require?: Floor): AccountPeer => ({ ...aPeer("db", []), sshEnabled: true, require });

test.each<[what: string, old: Floor | undefined, now: Floor | undefined, differs: boolean]>([
  ["nothing", undefined, undefined, false],
  ["an equal floor", floor, { ...floor }, false],
  ["a new floor", undefined, floor, true],
  ["a floor that is gone", floor, undefined, true],
  ["another recording", floor, { ...floor, record: "required" }, true],
  ["another reason", floor, { ...floor, reason: true }, true],
  ["another approval", floor, { ...floor, approval: false }, true],
  ["another age of the sign-in", floor, { ...floor, reauthWithinSeconds: null }, true],
])("requirements and their keys differ as they should after %s", (_, old, now, differs) => {
  const floors = floorsOf({ settings, peers: [peer(old)], peersAfter: [peer(now)] });
  const after = floors.afterOf(peer(old));
  expect(floors.mayDiffer).toBe(differs);
  expect(after.require).toEqual(now);
  expect(floors.keyOf(after) !== floors.keyOf(peer(old))).toBe(differs);
});

test("a floor below the account's changes nothing at the machine", () => {
  const account = { ...settings, require: { ...floor, record: "required" as const } };
  const floors = floorsOf({ settings: account, peers: [peer(floor)], peersAfter: [peer()] });
  expect(floors.keyOf(floors.afterOf(peer(floor)))).toBe(floors.keyOf(peer(floor)));
});

test("without an after, everything stays", () => {
  const floors = floorsOf({ settings, peers: [peer(floor)] });
  expect([floors.mayDiffer, floors.afterOf(peer(floor)).require]).toEqual([false, floor]);
});
