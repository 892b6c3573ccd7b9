import { expect, test } from "bun:test";
import fc from "fast-check";
import type { AccountChange } from "../../../src/policy/maps/account-change.ts";
import { AccountView } from "../../../src/policy/maps/account-view.ts";
import {
  type AccountPeer,
  type AccountSnapshot,
  commonOf,
  compileMap,
  indexAccount,
} from "../../../src/policy/maps/compile.ts";
import { applyDelta, diffMaps } from "../../../src/policy/maps/map-delta.ts";
import type { MapRule, MapUser, NetworkMap } from "../../../src/wire/network-map.ts";
import { aMap, anId, aPeer, aRule, aUser } from "../../support/policy.ts";

const USERS = ["u1", "u2", "u3"];
const PEERS = ["p1", "p2", "p3", "p4", "p5"];
const RULES = ["r1", "r2", "r3"];
const GROUPS = ["g1", "g2", "g3", "g4"];

const groups = fc.subarray(GROUPS);
const anyUser = fc
  .tuple(fc.constantFrom(...USERS), groups, fc.boolean())
  .map(([name, of, isActive]): MapUser => aUser(name, of, isActive ? {} : { status: "blocked", groups: [] }));
const anyPeer = fc
  .record({
    name: fc.constantFrom(...PEERS),
    groups,
    vouched: fc.subarray(GROUPS, { maxLength: 1 }),
    owner: fc.option(fc.constantFrom(...USERS)),
    ownerApproved: fc.boolean(),
    sshEnabled: fc.boolean(),
    status: fc.constantFrom("active" as const, "active" as const, "blocked" as const, "pending" as const),
  })
  .map(
    ({ name, groups, vouched, owner, ownerApproved, sshEnabled, status }): AccountPeer => ({
      ...aPeer(name, groups, {
        ownerUserId: owner === null ? null : anId(owner),
        ownerApproved,
        vouchedGroups: vouched.map(anId),
        status,
      }),
      sshEnabled,
    }),
  );
const anyRule = fc
  .record({
    name: fc.constantFrom(...RULES),
    sources: groups,
    devices: fc.subarray(GROUPS, { maxLength: 1 }),
    sourcePeer: fc.option(fc.constantFrom(...PEERS)),
    destinations: groups,
    destinationPeer: fc.option(fc.constantFrom(...PEERS)),
    isFull: fc.boolean(),
    enabled: fc.boolean(),
    isMutual: fc.boolean(),
  })
  .map((one): MapRule => {
    const change = {
      enabled: one.enabled,
      bidirectional: one.isMutual,
      ...(one.isFull ? { protocol: "tcp" as const } : {}),
      sourceDevices: one.devices.map(anId),
      sourcePeerId: one.sourcePeer === null ? null : anId(one.sourcePeer),
      destinations: one.destinationPeer === null ? one.destinations.map(anId) : [],
      destinationPeerId: one.destinationPeer === null ? null : anId(one.destinationPeer),
    };
    return aRule(one.name, one.sources, one.isFull ? "full" : ["deploy"], change);
  });

type Op =
  | { readonly kind: "users"; readonly entity: MapUser }
  | { readonly kind: "peers"; readonly entity: AccountPeer }
  | { readonly kind: "rules"; readonly entity: MapRule }
  | { readonly kind: "gone"; readonly of: "users" | "peers" | "rules"; readonly id: string }
  | { readonly kind: "settings"; readonly maxStaleSeconds: number };

const anyOp: fc.Arbitrary<Op> = fc.oneof(
  anyUser.map((entity): Op => ({ kind: "users", entity })),
  { arbitrary: anyPeer.map((entity): Op => ({ kind: "peers", entity })), weight: 2 },
  anyRule.map((entity): Op => ({ kind: "rules", entity })),
  fc.constantFrom(...USERS).map((name): Op => ({ kind: "gone", of: "users", id: anId(name) })),
  fc.constantFrom(...PEERS).map((name): Op => ({ kind: "gone", of: "peers", id: anId(name) })),
  fc.constantFrom(...RULES).map((name): Op => ({ kind: "gone", of: "rules", id: anId(name) })),
  fc.constantFrom(60, 3600).map((maxStaleSeconds): Op => ({ kind: "settings", maxStaleSeconds })),
);

/** The account in plain values, beside what is told of its changes. */
class Model {
  readonly users = new Map<string, MapUser>();
  readonly peers = new Map<string, AccountPeer>();
  readonly rules = new Map<string, MapRule>();
  maxStaleSeconds = 3600;

  snapshot(version: number): AccountSnapshot {
    const base = aMap({});
    return {
      ...base,
      version,
      settings: { ...base.settings, maxStaleSeconds: this.maxStaleSeconds },
      cas: [],
      issuers: [],
      managementKeys: [],
      revokedLogins: [],
      users: [...this.users.values()],
      peers: [...this.peers.values()],
      rules: [...this.rules.values()],
    };
  }

  take(ops: readonly Op[]): AccountChange {
    const change = {
      users: new Map<string, MapUser | null>(),
      peers: new Map<string, AccountPeer | null>(),
      rules: new Map<string, MapRule | null>(),
    };
    for (const op of ops) {
      if (op.kind === "settings") this.maxStaleSeconds = op.maxStaleSeconds;
      else if (op.kind === "gone") {
        this[op.of].delete(op.id);
        change[op.of].set(op.id, null);
      } else {
        (this[op.kind] as Map<string, unknown>).set(op.entity.id, op.entity);
        (change[op.kind] as Map<string, unknown>).set(op.entity.id, op.entity);
      }
    }
    return { ...change, common: commonOf(this.snapshot(1)) };
  }
}

test("after any changes, every map made from them is the one that a fresh account gives", () => {
  fc.assert(
    fc.property(fc.array(fc.array(anyOp, { minLength: 1, maxLength: 4 }), { maxLength: 12 }), (steps) => {
      const model = new Model();
      const live = new AccountView(commonOf(model.snapshot(1)));
      // What agents have: renewed only where a change is said to concern them, by what differs.
      const held = new Map<string, NetworkMap | undefined>();
      let version = 1;
      for (const ops of steps) {
        version += 1;
        const affected = live.apply(model.take(ops));
        const fresh = indexAccount(model.snapshot(version));
        for (const name of PEERS) {
          const id = anId(name);
          const before = held.get(id);
          if (before === undefined || affected === "all" || affected.has(id)) {
            const now = live.compile(id, version);
            const delta = before === undefined || now === undefined ? null : diffMaps(before, now);
            held.set(
              id,
              before === undefined || delta === null ? now : (applyDelta(before, delta) ?? undefined),
            );
            if (now === undefined) held.delete(id);
          }
          const want = compileMap(fresh, id);
          const got = held.get(id);
          expect(got === undefined ? undefined : { ...got, version: 0 }).toEqual(
            want === undefined ? undefined : { ...want, version: 0 },
          );
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("machines with the same rules share their parts, and a change of one machine is no work for another", () => {
  const model = new Model();
  const live = new AccountView(commonOf(model.snapshot(1)));
  const machine = (name: string, sshEnabled = true): Op => ({
    kind: "peers",
    entity: { ...aPeer(name, ["g1"], { kind: "machine" }), sshEnabled },
  });
  live.apply(
    model.take([
      { kind: "users", entity: aUser("u1", ["g2"]) },
      { kind: "rules", entity: aRule("r1", ["g2"], ["deploy"], { destinations: [anId("g1")] }) },
      machine("p1"),
      machine("p2"),
    ]),
  );
  const [first, second] = [live.compile(anId("p1"), 2), live.compile(anId("p2"), 2)];
  expect(first?.users).toBe(second?.users as NonNullable<typeof second>["users"]);
  expect([...(live.apply(model.take([machine("p1", false)])) as Set<string>)]).toEqual([anId("p1")]);
  expect(live.compile(anId("p1"), 3)?.users).toBe(first?.users as NonNullable<typeof first>["users"]);
  expect(live.compile(anId("p1"), 3)?.self.sshEnabled).toBe(false);
});

test("telling of what has not changed concerns nobody", () => {
  const model = new Model();
  const live = new AccountView(commonOf(model.snapshot(1)));
  const all: Op[] = [
    { kind: "users", entity: aUser("u1", ["g2"]) },
    { kind: "rules", entity: aRule("r1", ["g2"], ["deploy"], { destinations: [anId("g1")] }) },
    { kind: "peers", entity: { ...aPeer("p1", ["g1"]), sshEnabled: true } },
  ];
  live.apply(model.take(all));
  live.compile(anId("p1"), 1);
  const again = structuredClone(all);
  expect(live.apply(model.take(again))).toEqual(new Set());
});
