import { expect, test } from "bun:test";
import { type AccountSnapshot, indexAccount } from "../../../src/policy/maps/compile.ts";
import { openedFor } from "../../../src/policy/maps/reachable.ts";
import type { MapRule } from "../../../src/wire/network-map.ts";
import { aMap, anId, aPeer, aRule, aUser } from "../../support/policy.ts";

function anAccount(parts: Pick<AccountSnapshot, "users" | "peers" | "rules">): AccountSnapshot {
  return { ...aMap({}), cas: [], issuers: [], managementKeys: [], revokedLogins: [], ...parts };
}

const machine = (name: string, groups: readonly string[]) => ({
  ...aPeer(name, groups, { kind: "machine" as const }),
  sshEnabled: true,
});
const web1 = machine("web1", ["servers"]);
const db1 = machine("db1", ["databases"]);
const laptop = { ...aPeer("laptop", [], { ownerUserId: anId("alice") }), sshEnabled: true };
const ssh = aRule("ssh", ["devs"], ["deploy"]);

test.each<[name: string, rules: MapRule[], change: Partial<typeof laptop>, wanted: string[]]>([
  ["opens what a rule with the owner's group as source names", [ssh], {}, ["web1"]],
  ["opens nothing without a rule", [], {}, []],
  ["opens nothing by a disabled rule", [{ ...ssh, enabled: false }], {}, []],
  ["opens nothing by a drop", [{ ...ssh, action: "drop" }], {}, []],
  ["opens nothing for other groups", [{ ...ssh, sources: [anId("ops")] }], {}, []],
  [
    "opens nothing by a rule for another port",
    [{ ...ssh, protocol: "tcp", ports: [{ start: 80, end: 80 }] }],
    {},
    [],
  ],
  ["opens nothing for a blocked device", [ssh], { status: "blocked" }, []],
  ["opens nothing for a device whose owner's groups do not count yet", [ssh], { ownerApproved: false }, []],
  [
    "opens one peer by a rule that names it",
    [{ ...ssh, destinations: [], destinationPeerId: db1.id }],
    {},
    ["db1"],
  ],
  [
    "opens for one device by a rule that names it",
    [{ ...ssh, sources: [], sourcePeerId: laptop.id }],
    {},
    ["web1"],
  ],
  ["opens nothing by a rule that names another", [{ ...ssh, sources: [], sourcePeerId: db1.id }], {}, []],
])("openedFor %s", (_name, rules, change, wanted) => {
  const peers = [web1, db1, { ...laptop, ...change }];
  const index = indexAccount(anAccount({ peers, rules, users: [aUser("alice", ["devs"])] }));
  expect([...openedFor(index, index.account.rules, laptop.id)].sort()).toEqual(
    wanted.map((name) => anId(name)).sort(),
  );
});

test("openedFor opens nothing for a device that is not there", () => {
  const index = indexAccount(anAccount({ peers: [web1], rules: [ssh], users: [] }));
  expect(openedFor(index, index.account.rules, laptop.id).size).toBe(0);
});
