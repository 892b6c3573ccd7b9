import { expect, test } from "bun:test";
import { type UsedIn, usesOf } from "../../../../src/dashboard/pages/groups/group-uses.ts";

const rule = (fields: object) => ({ id: "r", name: "", enabled: true, ...fields });
const policy = (fields: object) => ({ id: "p1", name: "Deploy", rules: [rule(fields)] });
const none = { policies: [], keys: [], groups: [], account: undefined };
const used = (part: object) => usesOf("g1", { ...none, ...part } as unknown as UsedIn);
const group = { id: "g1", name: "Developers" };

test.each<[fields: object, how: string]>([
  [{ sources: [group] }, "from it"],
  [{ destinations: [group], sources: [group] }, "from it, to it"],
  [{ source_devices: [group] }, "from devices in it"],
  [{ allow_intercepted: ["g1"] }, "by programs on machines in it"],
  [{ authorized_groups: { g1: ["deploy"] } }, "local users of its members"],
  [{ approver_groups: ["g1"] }, "approved by its members"],
])("a rule with %j uses it: %s", (fields, how) => {
  expect(used({ policies: [policy(fields)] })).toEqual([{ kind: "policy", id: "p1", name: "Deploy", how }]);
});

test("keys, groups and settings use it as well", () => {
  const kinds = used({
    keys: [
      { id: "k", name: "image", auto_groups: ["g1"] },
      { id: "o", name: "other", auto_groups: [] },
    ],
    groups: [{ id: "g2", name: "On call", approver_groups: ["g1"] }],
    account: { settings: { peer_expose_groups: ["g1"] } },
  }).map(({ kind, name }) => `${kind} ${name}`);
  expect(kinds).toEqual(["setup key image", "group On call", "settings Settings"]);
});

test("what names other groups does not", () => {
  const other = { id: "g2", name: "Servers" };
  const rules = { sources: [other], destinations: [other], authorized_groups: { g2: [] } };
  expect(used({ policies: [policy(rules)], groups: [{ ...group, peers: [] }] })).toEqual([]);
});
