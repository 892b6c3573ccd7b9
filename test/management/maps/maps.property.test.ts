import { expect, test } from "bun:test";
import fc from "fast-check";
import { newId } from "../../../src/base/random.ts";
import type { ChangeWriter } from "../../../src/management/db/store.ts";
import { findAccount, updateAccount } from "../../../src/management/db/tables/accounts.ts";
import { systemInitiator } from "../../../src/management/db/tables/audit-events.ts";
import {
  deleteGroup,
  insertGroup,
  listGroups,
  setGroupPeers,
} from "../../../src/management/db/tables/groups.ts";
import { insertLogin, revokeLogin } from "../../../src/management/db/tables/logins.ts";
import { insertPeer } from "../../../src/management/db/tables/new-peer.ts";
import { deletePeer, findPeer, listPeers, updatePeer } from "../../../src/management/db/tables/peers.ts";
import {
  deletePolicy,
  deletePostureCheck,
  listPolicies,
  listPostureChecks,
  putPolicy,
  putPostureCheck,
} from "../../../src/management/db/tables/policies.ts";
import { deleteUser, listUsers, updateUser } from "../../../src/management/db/tables/users.ts";
import { createMaps } from "../../../src/management/maps/maps.ts";
import { applyDelta } from "../../../src/policy/maps/map-delta.ts";
import { digestOfMap } from "../../../src/wire/map-digest.ts";
import { deltaFrom, differencesFrom, outlineFor, sectionsOf } from "../../../src/wire/map-outline.ts";
import type { NetworkMap } from "../../../src/wire/network-map.ts";
import { aManagement, anAccount, aUserOf, ORIGIN } from "../../support/management.ts";
import { aNewPeer } from "../../support/peer-row.ts";

/** What to do, and two numbers by which it chooses whom it does it to. */
const anyStep = fc.tuple(
  fc.constantFrom(
    "user groups",
    "user gone",
    "user blocked",
    "peer added",
    "peer flag",
    "peer facts",
    "peer gone",
    "group members",
    "group gone",
    "policy",
    "network policy",
    "network policy",
    "policy off",
    "policy gone",
    "check",
    "check gone",
    "settings",
    "revoked",
    "approval",
  ),
  fc.nat(99),
  fc.nat(99),
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

/** Machines in groups, a person with a device that a machine vouches for, and rules over them. */
const FIRST: readonly Step[] = [
  ["peer added", 0, 3],
  ["peer added", 1, 5],
  ["user groups", 0, 2],
  ["peer added", 0, 6],
  ["policy", 1, 2],
  ["policy", 2, 4],
  ["network policy", 1, 2],
];

const pick = <T>(list: readonly T[], n: number): T | undefined => list[n % Math.max(1, list.length)];

async function act(tx: ChangeWriter, accountId: string, [what, a, b]: Step): Promise<void> {
  const groups = (await listGroups(tx, accountId)).map((group) => group.id);
  const peers = await listPeers(tx, accountId);
  const users = (await listUsers(tx, accountId)).filter((user) => user.role !== "owner");
  const [peer, user] = [pick(peers, a), pick(users, a)];
  const some = groups.filter((_, i) => (b >> i) % 2 === 1);
  const account = await findAccount(tx, accountId);
  if (account === undefined) return;
  switch (what) {
    case "user groups":
      if (user !== undefined) await updateUser(tx, accountId, user.id, { autoGroups: some });
      return;
    case "user gone":
      if (user !== undefined && b % 3 === 0) await deleteUser(tx, accountId, user.id);
      return;
    case "user blocked":
      if (user !== undefined) await updateUser(tx, accountId, user.id, { isBlocked: b % 2 === 0 });
      return;
    case "peer added": {
      const owner = b % 2 === 0 ? (user ?? null) : null;
      const kind = owner === null ? "machine" : "device";
      const vouchedByPeerId = kind === "device" && b % 3 === 0 ? (peer?.id ?? null) : null;
      const ownerApproved = b % 5 !== 0;
      const wanted = { kind, owner, groups: some, vouchedByPeerId, ownerApproved } as const;
      await insertPeer(tx, aNewPeer(accountId, wanted));
      return;
    }
    case "peer flag":
      if (peer !== undefined) await updatePeer(tx, accountId, peer.id, { sshEnabled: b % 2 === 0 });
      return;
    case "peer facts":
      if (peer !== undefined) {
        await updatePeer(tx, accountId, peer.id, { facts: { ...peer.facts, version: `0.${b % 3}` } });
      }
      return;
    case "peer gone":
      if (peer !== undefined && b % 3 === 0) await deletePeer(tx, peer);
      return;
    case "group members": {
      const group = groups[1 + (a % Math.max(1, groups.length - 1))];
      const members = peers.filter((_, i) => (b >> i) % 2 === 1).map(({ id }) => id);
      if (group !== undefined) await setGroupPeers(tx, group, members);
      return;
    }
    case "group gone": {
      const group = groups[1 + (a % Math.max(1, groups.length - 1))];
      if (group !== undefined && b % 4 === 0) await deleteGroup(tx, accountId, group);
      return;
    }
    case "policy":
    case "network policy": {
      const known = pick(await listPolicies(tx, accountId), a);
      const id = b % 2 === 0 || known === undefined ? newId() : known.policy.id;
      const isNetwork = what === "network policy";
      await putPolicy(tx, aPolicy(accountId, id), [
        {
          id: newId(),
          accountId,
          policyId: id,
          position: 0,
          body: {
            name: "r",
            enabled: true,
            action: "accept",
            // Both ways, or of one peer to groups, where it is not for SSH.
            bidirectional: isNetwork && b % 3 !== 0,
            ...(isNetwork ? { protocol: "tcp", ports: ["443"] } : { protocol: "qufabric-ssh" }),
            ...(isNetwork && b % 5 === 0 && peer !== undefined
              ? { sourceResource: { id: peer.id, type: "peer" } }
              : { sources: some }),
            ...(a % 3 === 0 && peer !== undefined
              ? { destinationResource: { id: peer.id, type: "peer" } }
              : { destinations: [groups[a % groups.length] ?? ""] }),
          },
        },
      ]);
      return;
    }
    case "policy off": {
      const known = pick(await listPolicies(tx, accountId), a);
      if (known === undefined) return;
      const [check] = await listPostureChecks(tx, accountId);
      const sourcePostureChecks = check === undefined ? [] : [check.id];
      await putPolicy(tx, { ...known.policy, enabled: b % 2 === 0, sourcePostureChecks }, known.rules);
      return;
    }
    case "policy gone": {
      const known = pick(await listPolicies(tx, accountId), a);
      if (known !== undefined) await deletePolicy(tx, accountId, known.policy.id);
      return;
    }
    case "check": {
      const checks = { nb_version_check: { min_version: `0.${b % 3}` } };
      const row = { accountId, name: "c", description: "", createdAt: 1, updatedAt: 1, checks };
      await putPostureCheck(tx, { ...row, id: newId() });
      return;
    }
    case "check gone": {
      const check = pick(await listPostureChecks(tx, accountId), a);
      if (check !== undefined) await deletePostureCheck(tx, accountId, check.id);
      return;
    }
    case "settings":
      await updateAccount(tx, accountId, { settings: { ...account.settings, max_stale_seconds: 60 + b } });
      return;
    case "approval": {
      const device_approval = b % 2 === 0 ? "auto" : "admin";
      await updateAccount(tx, accountId, { settings: { ...account.settings, device_approval } });
      return;
    }
    case "revoked": {
      if (user === undefined) return;
      const now = Math.floor(tx.clock.nowMs() / 1000);
      const id = newId();
      const login = {
        id,
        accountId,
        userId: user.id,
        binding: "idp" as const,
        loginKey: `${id}${"A".repeat(23)}`,
      };
      await insertLogin(tx, { ...login, issuedAt: now, createdAt: now, until: now + 600 });
      await revokeLogin(tx, id);
    }
  }
}

function aPolicy(accountId: string, id: string) {
  const times = { createdAt: 1, updatedAt: 1 };
  return { id, accountId, name: "p", description: null, enabled: true, sourcePostureChecks: [], ...times };
}

/** What comes out at an agent that has `before` and hears over the wire what it lacks of `now`. */
function caughtUp(before: NetworkMap, now: NetworkMap): NetworkMap {
  const overWire = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
  const agents = overWire(before);
  const sections = overWire(sectionsOf(agents));
  const outline = outlineFor(sections, now);
  const differences = outline === null ? null : differencesFrom(agents, overWire(outline));
  if (differences === null) throw new Error("a delta leads from any map to any later one of its epoch");
  const delta = deltaFrom({ version: agents.version, sections }, overWire(differences), now);
  const after = applyDelta(agents, overWire(delta));
  expect(after).toEqual(now);
  return after as NetworkMap;
}

test("after any changes, every map is the one made from scratch, and a delta leads to it from any before", async () => {
  let withMutualRules = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 1, maxLength: 14 }), async (steps) => {
      const { store, maps, keys } = aManagement();
      const { accountId } = await anAccount(store);
      const change = <T>(fn: (tx: ChangeWriter) => Promise<T>): Promise<T> =>
        store.change({ accountId, initiator: systemInitiator, affectsMaps: true }, fn);
      await change(async (tx) => {
        for (const name of ["g1", "g2", "g3"]) {
          await insertGroup(tx, { id: newId(), accountId, name, isAll: false, createdAt: 1 });
        }
      });
      for (let i = 0; i < 2; i++) await aUserOf(store, accountId);
      const held = new Map<string, NetworkMap | undefined>();
      /** All that a machine has ever had: with any of them it may come back. */
      const ever = new Map<string, NetworkMap[]>();
      const stale = new Set<string>();
      for (const step of [...FIRST, ...steps]) {
        await change((tx) => act(tx, accountId, step));
        const fresh = createMaps({ store, keys, origin: ORIGIN });
        for (const { id } of await store.read((tx) => listPeers(tx, accountId))) {
          const got = await maps.mapOf(accountId, id);
          const want = await fresh.mapOf(accountId, id);
          expect(got).toEqual(want as NonNullable<typeof want>);
          // Who watches is told whenever the map is another one.
          if (held.has(id)) expect(stale.has(id) || held.get(id) === got).toBe(true);
          else maps.watch(accountId, id, () => void stale.add(id));
          if (got !== undefined && held.get(id) !== got) ever.set(id, [...(ever.get(id) ?? []), got]);
          held.set(id, got);
          stale.delete(id);
          expect((await store.read((tx) => findPeer(tx, accountId, id)))?.mapVersion).toBe(got?.version ?? 0);
        }
      }
      let bothWays = 0;
      for (const { id } of await store.read((tx) => listPeers(tx, accountId))) {
        const now = held.get(id);
        if (now === undefined) continue;
        bothWays += Object.values(now.rules).filter((rule) => rule.bidirectional).length;
        for (const before of ever.get(id) ?? []) {
          if (before.version < now.version) expect(digestOfMap(caughtUp(before, now))).toBe(digestOfMap(now));
        }
      }
      withMutualRules += bothWays > 0 ? 1 : 0;
      await store.close();
    }),
    { numRuns: 25 },
  );
  expect(withMutualRules).toBeGreaterThan(0);
}, 120_000);
