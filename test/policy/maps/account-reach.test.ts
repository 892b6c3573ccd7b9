import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { denialOfNetwork } from "../../../src/policy/decide/network-rules.ts";
import { prepareSnapshot } from "../../../src/policy/decide/snapshot.ts";
import { accountReach, type Reach } from "../../../src/policy/maps/account-reach.ts";
import {
  type AccountPeer,
  type AccountSnapshot,
  compileMap,
  indexAccount,
} from "../../../src/policy/maps/compile.ts";
import { KeyIndex } from "../../../src/policy/maps/key-index.ts";
import type { MapRule, MapUser } from "../../../src/wire/network-map.ts";
import { aMap, anId, aPeer, aRule, aUser } from "../../support/policy.ts";

const NOW = 1_795_000_000;
const REQUEST = { port: 22, nowSeconds: NOW };

function anAccount(parts: Pick<AccountSnapshot, "users" | "peers" | "rules">) {
  const account: AccountSnapshot = {
    ...aMap({}),
    ...{ cas: [], issuers: [], managementKeys: [], revokedLogins: [] },
    ...parts,
  };
  const index = indexAccount(account);
  const peersByOwnGroup = new KeyIndex<string>();
  for (const peer of account.peers) for (const group of peer.groups) peersByOwnGroup.add(group, peer.id);
  const reach = accountReach({ index, peersByOwnGroup: peersByOwnGroup.sets, rules: account.rules }, REQUEST);
  return { account, index, reach };
}

const machine = (
  name: string,
  groups: readonly string[],
  change: Partial<AccountPeer> = {},
): AccountPeer => ({
  ...aPeer(name, groups, { kind: "machine" }),
  sshEnabled: true,
  ...change,
});
const laptop: AccountPeer = { ...aPeer("laptop", [], { ownerUserId: anId("alice") }), sshEnabled: true };
const web = machine("web", ["servers"]);
const ssh = aRule("ssh", ["devs"], ["deploy"]);
const reachedBy = (rules: readonly MapRule[], peers: readonly AccountPeer[] = [laptop, web]): Reach =>
  anAccount({ rules, peers, users: [aUser("alice", ["devs"])] }).reach;

// Every row is one step from a machine that is reached.
describe("a machine is reached", () => {
  const rows: [name: string, rules: MapRule[], peers: AccountPeer[], isReached: boolean][] = [
    ["by a rule of its groups", [ssh], [laptop, web], true],
    ["not without a rule", [], [laptop, web], false],
    ["not by a disabled rule", [{ ...ssh, enabled: false }], [laptop, web], false],
    ["not by an expired rule", [{ ...ssh, validUntilSeconds: NOW }], [laptop, web], false],
    ["not by one that is yet to begin", [{ ...ssh, validFromSeconds: NOW + 1 }], [laptop, web], false],
    ["not past a drop", [ssh, aRule("no", ["devs"], "full", { action: "drop" })], [laptop, web], false],
    [
      "past a drop of OS users, which is decided later",
      [ssh, aRule("no", ["devs"], ["root"], { action: "drop" })],
      [laptop, web],
      true,
    ],
    ["not by a posture that is not met", [{ ...ssh, postureChecks: ["p"] }], [laptop, web], false],
    [
      "by a posture that is met",
      [{ ...ssh, postureChecks: ["p"] }],
      [{ ...laptop, posturePassed: ["p"] }, web],
      true,
    ],
    ["not by a blocked device", [ssh], [{ ...laptop, status: "blocked" }, web], false],
    [
      "not by one that its owner's groups do not count for",
      [ssh],
      [{ ...laptop, ownerApproved: false }, web],
      false,
    ],
    ["not with its SSH turned off", [ssh], [laptop, { ...web, sshEnabled: false }], false],
    ["not while it waits for approval", [ssh], [laptop, { ...web, status: "pending" }], false],
    ["not where it is a device", [ssh], [laptop, { ...web, kind: "device" }], false],
    [
      "not on another port",
      [{ ...ssh, protocol: "tcp", ports: [{ start: 80, end: 80 }] }],
      [laptop, web],
      false,
    ],
    [
      "not by kinds of device it is not",
      [{ ...ssh, sourceDevices: [anId("managed")] }],
      [laptop, web],
      false,
    ],
  ];
  test.each(rows)("%s", (_, rules, peers, isReached) => {
    const reach = reachedBy(rules, peers);
    expect([...reach.of(laptop.id)]).toEqual(isReached ? [web.id] : []);
    expect(reach.countOf(laptop.id)).toBe(isReached ? 1 : 0);
  });
});

test("a peer that is not there reaches nothing, and no machine itself", () => {
  const all = aRule("all", ["servers"], "full", { protocol: "all", bidirectional: true });
  const reach = reachedBy([all], [web]);
  expect([...reach.of(web.id)]).toEqual([]);
  expect([...reach.of(anId("nobody"))]).toEqual([]);
});

test("as many machines as there are, past one word of bits", () => {
  const machines = Array.from({ length: 100 }, (_, i) => machine(`m${i}`, ["servers"]));
  const reach = reachedBy([ssh], [laptop, ...machines]);
  expect(reach.countOf(laptop.id)).toBe(100);
  expect([...reach.of(laptop.id)].sort()).toEqual(machines.map(({ id }) => id).sort());
});

const GROUPS = ["g1", "g2", "g3"];
const PEERS = ["p1", "p2", "p3", "p4", "p5", "p6"];
const groups = fc.subarray(GROUPS);
const anyPeer = (name: string) =>
  fc
    .record({
      groups,
      isMachine: fc.boolean(),
      owner: fc.option(fc.constantFrom("u1", "u2")),
      ownerApproved: fc.boolean(),
      vouched: fc.subarray(GROUPS, { maxLength: 1 }),
      sshEnabled: fc.boolean(),
      posture: fc.subarray(["c1"]),
      status: fc.constantFrom("active" as const, "active" as const, "pending" as const),
    })
    .map(
      (one): AccountPeer => ({
        ...aPeer(name, one.groups, {
          kind: one.isMachine ? "machine" : "device",
          ownerUserId: one.owner === null ? null : anId(one.owner),
          ownerApproved: one.ownerApproved,
          vouchedGroups: one.vouched.map(anId),
          posturePassed: one.posture,
          status: one.status,
        }),
        sshEnabled: one.sshEnabled,
      }),
    );
const anyRule = (name: string) =>
  fc
    .record({
      sources: groups,
      sourcePeer: fc.option(fc.constantFrom(...PEERS)),
      devices: fc.subarray(GROUPS, { maxLength: 1 }),
      destinations: groups,
      destinationPeer: fc.option(fc.constantFrom(...PEERS)),
      isDrop: fc.boolean(),
      isMutual: fc.boolean(),
      protocol: fc.constantFrom("tcp" as const, "all" as const, "udp" as const, "qufabric-ssh" as const),
      users: fc.constantFrom<"full" | string[]>("full", ["deploy"]),
      posture: fc.subarray(["c1"]),
    })
    .map(
      (one): MapRule =>
        aRule(name, one.sources, one.protocol === "qufabric-ssh" ? one.users : "full", {
          action: one.isDrop ? "drop" : "accept",
          bidirectional: one.isMutual,
          protocol: one.protocol,
          sourceDevices: one.devices.map(anId),
          sourcePeerId: one.sourcePeer === null ? null : anId(one.sourcePeer),
          sources: one.sourcePeer === null ? one.sources.map(anId) : [],
          destinations: one.destinationPeer === null ? one.destinations.map(anId) : [],
          destinationPeerId: one.destinationPeer === null ? null : anId(one.destinationPeer),
          postureChecks: one.posture,
        }),
    );

test("of every account, it says what each machine itself would say", () => {
  const anyUser = (name: string) => groups.map((of): MapUser => aUser(name, of));
  fc.assert(
    fc.property(
      fc.tuple(...PEERS.map(anyPeer)),
      fc.tuple(anyUser("u1"), anyUser("u2")),
      fc.tuple(anyRule("r1"), anyRule("r2"), anyRule("r3")),
      (peers, users, rules) => {
        const { index, reach } = anAccount({ peers, users, rules });
        for (const source of peers) {
          const allowed = peers.filter((target) => {
            const map = compileMap(index, target.id);
            const isMachine = target.kind === "machine" && target.status === "active";
            if (map === undefined || !isMachine || target.id === source.id) return false;
            const request = { ...REQUEST, sourcePeerId: source.id };
            return denialOfNetwork(request, prepareSnapshot(map)) === null;
          });
          const wanted = allowed.map(({ id }) => id).sort();
          expect([...reach.of(source.id)].sort()).toEqual(wanted);
          expect(reach.countOf(source.id)).toBe(wanted.length);
        }
      },
    ),
    { numRuns: 500 },
  );
});
