import { expect, test } from "bun:test";
import { changedPeople } from "../../../src/management/contracts/changed-people.ts";
import type { LiveSession } from "../../../src/wire/agent-sync.ts";

const one = (userId: string | null, change: Partial<LiveSession> = {}): LiveSession => ({
  ...{ connectionId: `of${userId}`, localUser: "web", userId, user: "", peer: "", command: "<idle>" },
  ...{ forwards: [], startedAtSeconds: 1, ...change },
});

test.each<[name: string, before: LiveSession[], after: LiveSession[], people: string[]]>([
  ["nobody's: nothing changed", [one("ada")], [one("ada")], []],
  ["theirs that began", [], [one("ada")], ["ada"]],
  ["theirs that ended", [one("ada"), one("bob")], [one("bob")], ["ada"]],
  ["theirs in which something else runs", [one("ada")], [one("ada", { command: "ls" })], ["ada"]],
  ["theirs that forward more", [one("ada")], [one("ada", { forwards: ["-L 1"] })], ["ada"]],
  ["nobody's: a machine's own", [one(null)], [], []],
  ["nobody's: two people in another order", [one("ada"), one("bob")], [one("bob"), one("ada")], []],
])("changed sessions are %s", (_, before, after, people) => {
  expect(changedPeople(before, after)).toEqual(people);
});
