import { beforeEach, expect, test } from "bun:test";
import { newId } from "../../../../src/base/random.ts";
import type { Writer } from "../../../../src/management/db/engine/transaction.ts";
import {
  bumpVersion,
  findAccount,
  findVersion,
  updateAccount,
} from "../../../../src/management/db/tables/accounts.ts";
import {
  deleteGroup,
  insertGroup,
  listGroups,
  setGroupPeers,
  setGroupSettings,
} from "../../../../src/management/db/tables/groups.ts";
import {
  deleteLoginsOverBefore,
  insertLogin,
  revokeLogin,
} from "../../../../src/management/db/tables/logins.ts";
import { listLeavers, listMapChanges } from "../../../../src/management/db/tables/map-changes.ts";
import {
  deletePeer,
  type PeerRow,
  renamePeer,
  updatePeer,
} from "../../../../src/management/db/tables/peers.ts";
import {
  deletePolicy,
  deletePostureCheck,
  putPolicy,
  putPostureCheck,
} from "../../../../src/management/db/tables/policies.ts";
import { deleteUser, type UserRow, updateUser } from "../../../../src/management/db/tables/users.ts";
import type { GroupSettings } from "../../../../src/wire/policy-account.ts";
import {
  aManagement,
  anAccount,
  aPeerOf,
  aUserOf,
  type TestManagement,
} from "../../../support/management.ts";

let management: TestManagement;
let accountId: string;
let user: UserRow;
let machine: PeerRow;
let device: PeerRow;
let groupId: string;
const LOGIN_KEY = "A".repeat(43);
const policyId = newId();
const ruleId = newId();
const checkId = newId();

const policy = () => ({
  id: policyId,
  accountId,
  name: "p",
  description: null,
  enabled: true,
  sourcePostureChecks: [],
  createdAt: 1,
  updatedAt: 1,
});
const rule = () => ({
  id: ruleId,
  accountId,
  policyId,
  position: 0,
  body: {
    name: "r",
    enabled: true,
    action: "accept" as const,
    bidirectional: false,
    protocol: "qufabric-ssh" as const,
  },
});
const check = () => ({
  id: checkId,
  accountId,
  name: "c",
  description: "",
  checks: {},
  createdAt: 1,
  updatedAt: 1,
});

beforeEach(async () => {
  management = aManagement();
  const { store } = management;
  ({ accountId } = await anAccount(store));
  user = await aUserOf(store, accountId);
  groupId = newId();
  await store.transaction((tx) =>
    insertGroup(tx, { id: groupId, accountId, name: "g", isAll: false, createdAt: 1 }),
  );
  machine = await aPeerOf(store, accountId, { groups: [groupId] });
  device = await aPeerOf(store, accountId, { kind: "device", name: "d", owner: user });
  await store.transaction(async (tx) => {
    await putPolicy(tx, policy(), [rule()]);
    const now = Math.floor(management.clock.nowMs() / 1000);
    await insertLogin(tx, {
      id: "l".repeat(20),
      accountId,
      loginKey: LOGIN_KEY,
      userId: user.id,
      binding: "idp",
      issuedAt: now,
      createdAt: now,
      until: now + 600,
    });
    await bumpVersion(tx, accountId);
  });
});

interface Case {
  readonly name: string;
  readonly act: (tx: Writer) => Promise<unknown>;
  readonly want: () => string[];
}
const CASES: readonly Case[] = [
  {
    name: "a person's groups",
    act: (tx) => updateUser(tx, accountId, user.id, { autoGroups: [groupId] }),
    want: () => [`user ${user.id}`],
  },
  {
    name: "only when a person last signed in",
    act: (tx) => updateUser(tx, accountId, user.id, { lastLoginAt: 5 }),
    want: () => [],
  },
  {
    name: "a person gone, with devices",
    act: (tx) => deleteUser(tx, accountId, user.id),
    want: () => [`peer ${device.id}`, `user ${user.id}`],
  },
  {
    name: "a peer's flag",
    act: (tx) => updatePeer(tx, accountId, machine.id, { sshEnabled: false }),
    want: () => [`peer ${machine.id}`],
  },
  {
    name: "a peer's name",
    act: (tx) => renamePeer(tx, machine, { name: "n", dnsName: "n" }),
    want: () => [`peer ${machine.id}`],
  },
  {
    name: "only when a peer was last seen, and its stamp",
    act: (tx) => updatePeer(tx, accountId, machine.id, { lastSeenAt: 5, mapVersion: 9, mapDigest: "x" }),
    want: () => [],
  },
  {
    name: "a device gone, and whose it was",
    act: (tx) => deletePeer(tx, device),
    want: () => [`peer ${device.id}`, `user ${user.id}`],
  },
  {
    name: "who is in a group, of those that came or went",
    act: (tx) => setGroupPeers(tx, groupId, [machine.id, device.id]),
    want: () => [`peer ${device.id}`],
  },
  {
    name: "a group gone, by its members",
    act: (tx) => deleteGroup(tx, accountId, groupId),
    want: () => [`peer ${machine.id}`],
  },
  {
    name: "a policy switched off, with its rules as they are written anew",
    act: (tx) => putPolicy(tx, { ...policy(), enabled: false }, [rule()]),
    want: () => [`policy ${policyId}`, `rule ${ruleId}`],
  },
  {
    name: "a policy gone, by its rules",
    act: (tx) => deletePolicy(tx, accountId, policyId),
    want: () => [`rule ${ruleId}`],
  },
  { name: "a posture check as everything", act: (tx) => putPostureCheck(tx, check()), want: () => ["all "] },
  {
    name: "a posture check gone as everything",
    act: async (tx) => {
      await putPostureCheck(tx, check());
      await deletePostureCheck(tx, accountId, checkId);
    },
    want: () => ["all "],
  },
  {
    name: "the account's settings",
    act: async (tx) => {
      const account = await findAccount(tx, accountId);
      if (account === undefined) return;
      await updateAccount(tx, accountId, { settings: { ...account.settings, max_stale_seconds: 77 } });
    },
    want: () => [`account ${accountId}`],
  },
  {
    name: "a login revoked, by its key",
    act: (tx) => revokeLogin(tx, "l".repeat(20)),
    want: () => [`login ${LOGIN_KEY}`],
  },
  {
    name: "nothing of a login that ran out",
    act: (tx) => deleteLoginsOverBefore(tx, Number.MAX_SAFE_INTEGER),
    want: () => [],
  },
];

test.each(CASES.map(({ name, ...rest }) => ({ name, ...rest })))(
  "the transaction of a change notes $name",
  async ({ act, want }) => {
    const { store } = management;
    const since = (await store.read((tx) => findVersion(tx, accountId))) ?? 0;
    const version = await store.transaction(async (tx) => {
      await act(tx);
      return (await bumpVersion(tx, accountId)) ?? 0;
    });
    const found = await store.read((tx) => listMapChanges(tx, accountId, { since, version, max: 100 }));
    expect(found?.map(({ kind, entityId }) => `${kind} ${entityId}`).sort()).toEqual(want());
    expect(
      await store.read((tx) => listMapChanges(tx, accountId, { since: version, version, max: 9 })),
    ).toEqual([]);
  },
);

test("a change that is rolled back is not noted", async () => {
  const { store } = management;
  const since = (await store.read((tx) => findVersion(tx, accountId))) ?? 0;
  const failing = store.transaction(async (tx) => {
    await updatePeer(tx, accountId, machine.id, { sshEnabled: false });
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow();
  const version = since + 1;
  expect(await store.read((tx) => listMapChanges(tx, accountId, { since, version, max: 9 }))).toEqual([]);
});

test("more changes than asked for, and versions forgotten, are said so", async () => {
  const { store } = management;
  const changes = (since: number, version: number, max: number) =>
    store.read((tx) => listMapChanges(tx, accountId, { since, version, max }));
  const version = (await store.read((tx) => findVersion(tx, accountId))) ?? 0;
  expect(await changes(0, version, 1)).toBeNull();
  expect(await changes(version, version + 1025, 100)).toBeNull();
  const groups = await store.read((tx) => listGroups(tx, accountId));
  expect(groups.length).toBe(2);
  await store.transaction(async (tx) => {
    for (let i = 0; i < 1024; i++) await bumpVersion(tx, accountId);
  });
  expect(await changes(version, version + 1024, 100)).toEqual([]);
});

test("who leaves a group that requires something is noted until the next version, and in no reader's changes", async () => {
  const { store } = management;
  const leave = (settings: GroupSettings, peerIds: readonly string[]) =>
    store.transaction(async (tx) => {
      await setGroupSettings(tx, accountId, groupId, settings);
      await setGroupPeers(tx, groupId, [machine.id, device.id]);
      await bumpVersion(tx, accountId);
      const since = (await findVersion(tx, accountId)) ?? 0;
      await setGroupPeers(tx, groupId, peerIds);
      const left = await listLeavers(tx, accountId);
      const version = (await bumpVersion(tx, accountId)) ?? 0;
      const changes = await listMapChanges(tx, accountId, { since, version, max: 9 });
      return [left, await listLeavers(tx, accountId), changes?.map(({ kind }) => kind)];
    });
  const left = { groupId, peerId: device.id };
  expect(await leave({ require: { reason: true } }, [machine.id])).toEqual([[left], [], ["peer"]]);
  expect(await leave({ requestable: true }, [machine.id])).toEqual([[], [], ["peer"]]);
  expect(await leave({}, [])).toEqual([[], [], ["peer", "peer"]]);
});
