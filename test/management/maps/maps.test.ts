import { beforeEach, expect, test } from "bun:test";
import { newId } from "../../../src/base/random.ts";
import type { Cluster } from "../../../src/management/db/engine/cluster.ts";
import type { ChangeWriter } from "../../../src/management/db/store.ts";
import { findAccount, putMeta, updateAccount } from "../../../src/management/db/tables/accounts.ts";
import { systemInitiator } from "../../../src/management/db/tables/audit-events.ts";
import {
  insertGroup,
  listGroups,
  setGroupPeers,
  setGroupSettings,
} from "../../../src/management/db/tables/groups.ts";
import {
  deleteLoginsOverBefore,
  insertLogin,
  revokeLogin,
} from "../../../src/management/db/tables/logins.ts";
import { deletePeer, findPeer, updatePeer } from "../../../src/management/db/tables/peers.ts";
import { putPolicy, putPostureCheck } from "../../../src/management/db/tables/policies.ts";
import { updateUser } from "../../../src/management/db/tables/users.ts";
import { createMaps } from "../../../src/management/maps/maps.ts";
import { NetworkMap } from "../../../src/wire/network-map.ts";
import type { PolicyRuleWrite } from "../../../src/wire/policy.ts";
import { BROWSER_OS } from "../../../src/wire/terminal-page.ts";
import {
  aManagement,
  anAccount,
  aPeerOf,
  aUserOf,
  ORIGIN,
  type TestManagement,
} from "../../support/management.ts";

let management: TestManagement;
let accountId: string;
let ownerId: string;
let allId: string;

beforeEach(async () => {
  management = aManagement();
  ({ accountId, ownerId } = await anAccount(management.store));
  allId = (await management.store.read((tx) => listGroups(tx, accountId)))[0]?.id ?? "";
});

const change = <T>(fn: (tx: ChangeWriter) => Promise<T>): Promise<T> =>
  management.store.change({ accountId, initiator: systemInitiator, affectsMaps: true }, fn);

const mapOf = async (peerId: string): Promise<NetworkMap> => {
  const map = await management.maps.mapOf(accountId, peerId);
  if (map === undefined) throw new Error("no map");
  return map;
};

async function aGroup(name: string): Promise<string> {
  const id = newId();
  await change((tx) => insertGroup(tx, { id, accountId, name, isAll: false, createdAt: 1 }));
  return id;
}

async function aRule(body: Partial<PolicyRuleWrite>, checks: string[] = []): Promise<string> {
  const policyId = newId();
  const ruleId = newId();
  const policy = {
    id: policyId,
    accountId,
    name: "p",
    description: null,
    enabled: true,
    sourcePostureChecks: checks,
    createdAt: 1,
    updatedAt: 1,
  };
  const whole = {
    name: "r",
    enabled: true,
    action: "accept" as const,
    bidirectional: false,
    protocol: "qufabric-ssh" as const,
    ...body,
  };
  await change((tx) =>
    putPolicy(tx, policy, [{ id: ruleId, accountId, policyId, position: 0, body: whole }]),
  );
  return ruleId;
}

test("a map parses as what a machine takes, and holds what its rules can speak of", async () => {
  const { store } = management;
  const devs = await aGroup("devs");
  const servers = await aGroup("servers");
  const user = await aUserOf(store, accountId, { autoGroups: [devs] });
  const other = await aUserOf(store, accountId, {});
  const machine = await aPeerOf(store, accountId, { groups: [servers] });
  const device = await aPeerOf(store, accountId, { kind: "device", name: "laptop", owner: user });
  const elsewhere = await aPeerOf(store, accountId, { name: "elsewhere" });
  const ruleId = await aRule({
    sources: [devs],
    destinations: [servers],
    ports: ["22"],
    authorized_groups: { [devs]: ["deploy"] },
  });
  const map = NetworkMap.parse(await mapOf(machine.id));
  expect(Object.keys(map.rules)).toEqual([ruleId]);
  expect(map.rules[ruleId]?.ports).toEqual([{ start: 22, end: 22 }]);
  expect(Object.keys(map.users)).toEqual([user.id]);
  expect(Object.keys(map.peers)).toEqual([device.id]);
  expect(map.users[user.id]?.issuer).toBe(`${ORIGIN}/idp`);
  expect(map.users[other.id]).toBeUndefined();
  expect(map.self.groups.sort()).toEqual([servers, allId].sort());
  expect(Object.keys((await mapOf(elsewhere.id)).rules)).toEqual([]);
});

test("All holds every peer and active person, and no service user", async () => {
  const { store } = management;
  const blocked = await aUserOf(store, accountId, { isBlocked: true });
  const pending = await aUserOf(store, accountId, { pendingApproval: true });
  const service = await aUserOf(store, accountId, { isServiceUser: true });
  const person = await aUserOf(store, accountId);
  const machine = await aPeerOf(store, accountId);
  const devices = [];
  for (const owner of [blocked, pending, service, person]) {
    devices.push(await aPeerOf(store, accountId, { kind: "device", name: "d", owner }));
  }
  await aRule({ sources: [allId], destinations: [allId] });
  const map = await mapOf(machine.id);
  const inAll = Object.values(map.users).filter((user) => user.groups.includes(allId));
  expect(inAll.map((user) => user.id).sort()).toEqual([ownerId, person.id].sort());
  expect(map.users[blocked.id]?.status).toBe("blocked");
  expect(map.users[pending.id]?.status).toBe("pending");
  expect(Object.keys(map.peers).sort()).toEqual([machine.id, ...devices.map((one) => one.id)].sort());
});

test("a version changes with the content of its own map only", async () => {
  const { store } = management;
  const servers = await aGroup("servers");
  const machine = await aPeerOf(store, accountId, { groups: [servers] });
  const elsewhere = await aPeerOf(store, accountId, { name: "elsewhere" });
  const before = [await mapOf(machine.id), await mapOf(elsewhere.id)];
  await aRule({ sources: [allId], destinations: [servers] });
  const after = [await mapOf(machine.id), await mapOf(elsewhere.id)];
  expect(after[0]?.version).toBeGreaterThan(before[0]?.version ?? 0);
  expect(after[1]?.version).toBe(before[1]?.version ?? 0);
});

test("a version is the same after a restart, and higher when the content changed meanwhile", async () => {
  const { store, keys } = management;
  const machine = await aPeerOf(store, accountId);
  const before = await mapOf(machine.id);
  const again = createMaps({ store, keys, origin: ORIGIN });
  expect(await again.mapOf(accountId, machine.id)).toEqual(before);
  const moved = createMaps({ store, keys, origin: "https://qf.example.com" });
  const heard: number[] = [];
  store.onChange((_, version) => heard.push(version));
  const after = await moved.mapOf(accountId, machine.id);
  expect(after?.version).toBeGreaterThan(before.version);
  expect(heard).toEqual([after?.version ?? 0]);
});

test("maps asked for at once, while changes go on, end at the last change", async () => {
  const { store } = management;
  const servers = await aGroup("servers");
  const machines = [];
  for (let i = 0; i < 8; i++) machines.push(await aPeerOf(store, accountId, { groups: [servers] }));
  const ruleIds: string[] = [];
  const changes = (async () => {
    for (let i = 0; i < 5; i++) ruleIds.push(await aRule({ sources: [allId], destinations: [servers] }));
  })();
  const asked = machines.flatMap((machine) => [mapOf(machine.id), mapOf(machine.id)]);
  await Promise.all([...asked, changes]);
  for (const machine of machines) {
    const map = await mapOf(machine.id);
    expect(Object.keys(map.rules).sort()).toEqual([...ruleIds].sort());
    const row = await store.read((tx) => findPeer(tx, accountId, machine.id));
    expect(row?.mapVersion).toBe(map.version);
  }
});

test.each([
  { approval: "auto" as const, stored: false, want: true },
  { approval: "admin" as const, stored: false, want: false },
  { approval: "admin" as const, stored: true, want: true },
  { approval: "first" as const, stored: false, want: false },
])("with device_approval $approval a device approved=$stored counts as its owner's: $want", async (row) => {
  const { store } = management;
  const account = await store.read((tx) => findAccount(tx, accountId));
  const settings = {
    ...(account?.settings as NonNullable<typeof account>["settings"]),
    device_approval: row.approval,
  };
  await change((tx) => updateAccount(tx, accountId, { settings }));
  const owner = await aUserOf(store, accountId);
  const machine = await aPeerOf(store, accountId);
  const device = await aPeerOf(store, accountId, {
    kind: "device",
    name: "d",
    owner,
    ownerApproved: row.stored,
  });
  await aRule({ sources: [allId], destinations: [allId] });
  expect((await mapOf(machine.id)).peers[device.id]?.ownerApproved).toBe(row.want);
});

test("a device has the groups of the machine that vouches for it, while that machine exists", async () => {
  const { store } = management;
  const kiosks = await aGroup("kiosks");
  const machine = await aPeerOf(store, accountId);
  const kiosk = await aPeerOf(store, accountId, { name: "kiosk", groups: [kiosks] });
  const owner = await aUserOf(store, accountId);
  const device = await aPeerOf(store, accountId, {
    kind: "device",
    name: "d",
    owner,
    vouchedByPeerId: kiosk.id,
  });
  await aRule({ sources: [kiosks], destinations: [allId] });
  expect((await mapOf(machine.id)).peers[device.id]?.vouchedGroups).toEqual([kiosks]);
  await change((tx) => setGroupPeers(tx, kiosks, []));
  expect((await mapOf(machine.id)).peers[device.id]).toBeUndefined();
  await change((tx) => setGroupPeers(tx, kiosks, [kiosk.id]));
  expect((await mapOf(machine.id)).peers[device.id]?.vouchedGroups).toEqual([kiosks]);
  await change((tx) => deletePeer(tx, kiosk));
  expect((await mapOf(machine.id)).peers[device.id]).toBeUndefined();
});

test("a posture check that a device passes is named in its entry", async () => {
  const { store } = management;
  const checkId = newId();
  const check = { id: checkId, accountId, name: "c", description: "", createdAt: 1, updatedAt: 1 };
  await change((tx) =>
    putPostureCheck(tx, { ...check, checks: { nb_version_check: { min_version: "0.2" } } }),
  );
  const owner = await aUserOf(store, accountId);
  const machine = await aPeerOf(store, accountId);
  const device = await aPeerOf(store, accountId, { kind: "device", name: "d", owner });
  const ruleId = await aRule({ sources: [allId], destinations: [allId] }, [checkId]);
  const before = await mapOf(machine.id);
  expect(before.rules[ruleId]?.postureChecks).toEqual([checkId]);
  expect(before.peers[device.id]?.posturePassed).toEqual([]);
  const facts = { ...device.facts, version: "0.2.0" };
  await change((tx) => updatePeer(tx, accountId, device.id, { facts }));
  expect((await mapOf(machine.id)).peers[device.id]?.posturePassed).toEqual([checkId]);
});

test("the account's word on browsers goes into rules that do not say, and changes with the setting", async () => {
  const { store } = management;
  const owner = await aUserOf(store, accountId);
  const machine = await aPeerOf(store, accountId);
  const facts = { hostname: "firefox", os: BROWSER_OS, osVersion: "", version: "", kernelVersion: "" };
  const browser = await aPeerOf(store, accountId, { kind: "device", name: "firefox", owner, facts });
  const [silent, open] = [
    await aRule({ sources: [allId], destinations: [allId] }),
    await aRule({ sources: [allId], destinations: [allId], ssh: { allow_browsers: true } }),
  ];
  const said = async (): Promise<unknown[]> => {
    const { rules, peers } = await mapOf(machine.id);
    const words = [silent, open].map((id) => rules[id]?.capabilities.allow_browsers);
    return [...words, peers[browser.id]?.isBrowser];
  };
  const setTo = (allow_browsers: boolean) =>
    change(async (tx) => {
      const settings = (await findAccount(tx, accountId))?.settings;
      if (settings !== undefined)
        await updateAccount(tx, accountId, { settings: { ...settings, allow_browsers } });
    });
  expect(await said()).toEqual([undefined, true, undefined]);
  await setTo(false);
  expect(await said()).toEqual([false, true, true]);
  await setTo(true);
  expect(await said()).toEqual([undefined, true, undefined]);
});

test("what a group requires is in the map of each machine in it, the stricter of several, until it does not", async () => {
  const { store } = management;
  const machine = await aPeerOf(store, accountId);
  const other = await aPeerOf(store, accountId, { name: "other" });
  const [one, two] = [newId(), newId()];
  const required = async ({ id }: { id: string }) => (await mapOf(id)).settings.require;
  const nothing = await required(machine);
  await change(async (tx) => {
    const group = { accountId, isAll: false, createdAt: 1 };
    await insertGroup(tx, { ...group, id: one, name: "one", settings: { require: { reason: true } } });
    await insertGroup(tx, { ...group, id: two, name: "two" });
    await setGroupPeers(tx, one, [machine.id]);
    await setGroupPeers(tx, two, [machine.id]);
  });
  expect(await required(machine)).toEqual({ ...nothing, reason: true });
  const require = { record: "required", reauth_within_seconds: 60 } as const;
  await change((tx) => setGroupSettings(tx, accountId, two, { require }));
  const both = { ...nothing, reason: true, record: "required", reauthWithinSeconds: 60 } as const;
  expect([await required(machine), await required(other)]).toEqual([both, nothing]);
  await change((tx) => setGroupPeers(tx, one, [other.id]));
  expect([await required(machine), await required(other)]).toEqual([
    { ...both, reason: false },
    { ...nothing, reason: true },
  ]);
  await change((tx) => setGroupSettings(tx, accountId, two, { requestable: true }));
  expect(await required(machine)).toEqual(nothing);
});

test("a revoked login is told while any machine could take one of its age, by the cap of now", async () => {
  const { store, clock, keys } = management;
  const machine = await aPeerOf(store, accountId);
  const now = Math.floor(clock.nowMs() / 1000);
  const login = {
    id: newId(),
    accountId,
    loginKey: "A".repeat(43),
    userId: ownerId,
    binding: "idp" as const,
    issuedAt: now,
    createdAt: now,
    until: now + 600,
  };
  await change((tx) => insertLogin(tx, login));
  expect((await mapOf(machine.id)).revokedLogins).toEqual({});
  expect(await change((tx) => revokeLogin(tx, login.id))).toBe(true);
  expect(Object.values((await mapOf(machine.id)).revokedLogins)).toEqual([
    { id: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/), untilSeconds: now + 43_320 },
  ]);
  clock.advanceMs(43_300_000);
  await store.transaction((tx) => deleteLoginsOverBefore(tx, now + 43_000));
  const after = createMaps({ store, keys, origin: ORIGIN });
  expect(Object.keys((await after.mapOf(accountId, machine.id))?.revokedLogins ?? {})).toHaveLength(1);
  clock.advanceMs(21_000);
  const later = createMaps({ store, keys, origin: ORIGIN });
  expect((await later.mapOf(accountId, machine.id))?.revokedLogins).toEqual({});
});

test("what changes and changes back is newer at every process, also where nobody asked meanwhile", async () => {
  const { keys } = management;
  // Of the other processes the maps need to know only that there are some.
  const store = { ...management.store, cluster: {} as Cluster };
  const [one, other] = [0, 1].map(() => createMaps({ store, keys, origin: ORIGIN }));
  const machine = await aPeerOf(store, accountId);
  const versionAt = async (maps: typeof one): Promise<number> =>
    (await maps?.mapOf(accountId, machine.id))?.version ?? 0;
  const setSsh = (sshEnabled: boolean) =>
    change((tx) => updatePeer(tx, accountId, machine.id, { sshEnabled }));

  const first = await versionAt(one);
  await setSsh(false);
  const second = await versionAt(other);
  await setSsh(true);
  const third = await versionAt(one);
  expect([second > first, third > second]).toEqual([true, true]);
  expect(await versionAt(other)).toBe(third);

  // A machine that comes over from another process, which had more to say to it.
  await setSsh(false);
  await setSsh(true);
  const kept = await versionAt(one);
  expect(await versionAt(one)).toBe(kept);
  expect(await versionAt(other)).toBe(kept);
});

test("a new epoch is of every map, and none has the version it had before", async () => {
  const machine = await aPeerOf(management.store, accountId);
  const before = await mapOf(machine.id);
  await change((tx) => putMeta(tx, "epoch", "7"));
  const after = await mapOf(machine.id);
  expect(after).toMatchObject({ epoch: 7, users: before.users, rules: before.rules });
  expect(after.version).toBeGreaterThan(before.version);
});

test("there is no map of a peer that is not there, or of another account", async () => {
  const { store, maps } = management;
  const machine = await aPeerOf(store, accountId);
  const other = await anAccount(store, "else@example.com");
  expect(await maps.mapOf(accountId, newId())).toBeUndefined();
  expect(await maps.mapOf(other.accountId, machine.id)).toBeUndefined();
  expect(await maps.mapOf(newId(), machine.id)).toBeUndefined();
  expect(await maps.snapshotOf(accountId, newId())).toBeUndefined();
  await mapOf(machine.id);
  await change((tx) => deletePeer(tx, machine));
  expect(await maps.mapOf(accountId, machine.id)).toBeUndefined();
});

test("a snapshot is prepared once per map", async () => {
  const { store, maps } = management;
  const machine = await aPeerOf(store, accountId);
  const first = await maps.snapshotOf(accountId, machine.id);
  expect(await maps.snapshotOf(accountId, machine.id)).toBe(first as NonNullable<typeof first>);
  await change((tx) => updateUser(tx, accountId, ownerId, { name: "Olga" }));
  await change((tx) => updatePeer(tx, accountId, machine.id, { sshEnabled: false }));
  expect((await maps.snapshotOf(accountId, machine.id))?.map.self.sshEnabled).toBe(false);
});
