import { expect, test } from "bun:test";
import { meaningOf } from "../../../src/policy/code/resolve-rules.ts";
import type { AccountRule } from "../../../src/wire/policy-account.ts";

const rule: AccountRule = {
  ...{ id: "a", name: "r", enabled: true, action: "accept", bidirectional: false, protocol: "qufabric-ssh" },
  ...{ sources: ["g", "h"], destinations: ["i"], authorized_groups: { g: ["a", "b"] } },
};

const same: [name: string, change: Partial<AccountRule>][] = [
  ["another id", { id: "b" }],
  ["another order of groups", { sources: ["h", "g"] }],
  ["another order of OS users", { authorized_groups: { g: ["b", "a"] } }],
  ["an empty list of ports", { ports: [] }],
  ["an empty description", { description: "" }],
  ["no capabilities, written out", { ssh: {} }],
  ["no list of commands, written out", { ssh: { commands: null } }],
];
test.each(same)("%s says the same", (_, change) => {
  expect(meaningOf({ ...rule, ...change })).toBe(meaningOf(rule));
});

const other: [name: string, change: Partial<AccountRule>][] = [
  ["no sources at all", { sources: [] }],
  ["one peer as source", { sources: null, sourceResource: { id: "p", type: "peer" } }],
  ["no authorized groups", { authorized_groups: {} }],
  ["an empty list of commands", { ssh: { commands: [] } }],
  ["an empty list of local users of machines", { machine_local_users: [] }],
  ["an end", { valid_until: 5 }],
  ["another name", { name: "s" }],
];
test.each(other)("%s says something else", (_, change) => {
  expect(meaningOf({ ...rule, ...change })).not.toBe(meaningOf(rule));
});
