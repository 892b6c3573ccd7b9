import { expect, test } from "bun:test";
import { isUnused, reachOfRules, UNUSED_SECONDS } from "../../../src/policy/code/rule-usage.ts";
import { aPolicyAccount, withFile } from "../../support/policy-account.ts";

const reachOf = (rule: string, account = aPolicyAccount()) => {
  const text = `policies: [{name: p, rules: [${rule}]}]`;
  return [...reachOfRules(withFile(text, account)).values()];
};

test.each([
  ["by group", "{sources: [All], destinations: [web], authorized_groups: {ops: [a]}}", 1, 2],
  [
    "by device group",
    "{sources: [managed-laptops], destinations: [web], authorized_groups: {All: [a]}}",
    1,
    2,
  ],
  ["not in sources", "{sources: [managed-laptops], destinations: [db], authorized_groups: {ops: [a]}}", 0, 1],
  ["of full access", "{sources: [developers], destinations: [All]}", 2, 3],
  ["by single peers", "{source_peer: bob-laptop, destination_peer: db1}", 1, 1],
  ["of two groups with one person in both", "{sources: [All, developers], destinations: [web, All]}", 3, 3],
])("the reach of a rule counts people and machines %s", (_, rule, people, machines) => {
  expect(reachOf(rule)).toEqual([{ people, machines }]);
});

test("blocked people, blocked machines and those without SSH do not count; network rules are left out", () => {
  const account = aPolicyAccount();
  const blocked = aPolicyAccount({
    users: account.users.map((user) => (user.name === "ada" ? { ...user, status: "blocked" } : user)),
    peers: account.peers.map((peer) =>
      peer.name === "web1" ? { ...peer, status: "blocked" } : { ...peer, sshEnabled: peer.name === "web2" },
    ),
  });
  expect(reachOf("{sources: [All, developers], destinations: [All]}", blocked)).toEqual([
    { people: 2, machines: 1 },
  ]);
  expect(reachOf("{protocol: tcp, ports: [80], sources: [All], destinations: [web]}")).toEqual([]);
});

test.each([
  ["was used within 90 days", 1_000, 0, UNUSED_SECONDS + 999, false],
  ["was last used 90 days ago", 1_000, 0, UNUSED_SECONDS + 1_000, true],
  ["was never used in 90 days of counting", null, 1_000, UNUSED_SECONDS + 1_000, true],
  ["was never used, and has not been counted for long", null, 1_001, UNUSED_SECONDS + 1_000, false],
  ["was used long before counting began", 1, 5_000, UNUSED_SECONDS + 1, true],
])("isUnused tells of a rule that %s", (_, lastAt, countedSince, now, want) => {
  expect(isUnused({ lastAt, countedSince }, now)).toBe(want);
});
