import { beforeEach, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isQfError } from "../../../../src/base/errors.ts";
import { newId, newSecret } from "../../../../src/base/random.ts";
import type { NewRow } from "../../../../src/management/db/schema/schema.ts";
import { enrolWithSetupKey } from "../../../../src/management/db/tables/new-peer.ts";
import { deletePeer, findPeer, listPeers, renamePeer } from "../../../../src/management/db/tables/peers.ts";
import {
  ENDLESS,
  findSetupKey,
  hashSetupKey,
  insertSetupKey,
  maskSetupKey,
} from "../../../../src/management/db/tables/setup-keys.ts";
import { OverlayAddress } from "../../../../src/wire/units.ts";
import {
  aManagement,
  anAccount,
  aPeerOf,
  aUserOf,
  type TestManagement,
} from "../../../support/management.ts";
import { aNewPeer } from "../../../support/peer-row.ts";

let management: TestManagement;
let accountId: string;

beforeEach(async () => {
  management = aManagement();
  ({ accountId } = await anAccount(management.store));
});

async function aSetupKey(change: Partial<NewRow<"setupKeys">> = {}): Promise<{ id: string; key: string }> {
  const key = newSecret("qfs_");
  const id = newId();
  const now = Math.floor(management.clock.nowMs() / 1000);
  await management.store.transaction((tx) =>
    insertSetupKey(tx, {
      id,
      accountId,
      name: "key",
      hash: hashSetupKey(key),
      masked: maskSetupKey(key),
      type: "one-off",
      usageLimit: 1,
      usedTimes: 0,
      autoGroups: [],
      ephemeral: false,
      allowExtraDnsLabels: false,
      revoked: false,
      createdAt: now,
      updatedAt: now,
      expiresAt: now + 86_400,
      lastUsedAt: null,
      ...change,
    }),
  );
  return { id, key };
}

const enrol = (key: string, name = "web") =>
  management.store.transaction((tx) => enrolWithSetupKey(tx, key, aNewPeer(accountId, { name })));

test("of 100 machines at once with a one-off key exactly one gets in", async () => {
  const { id, key } = await aSetupKey();
  const results = await Promise.allSettled(Array.from({ length: 100 }, () => enrol(key)));
  expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
  const refused = results.filter((result) => result.status === "rejected");
  expect(refused.every(({ reason }) => isQfError(reason, "ERR_UNAUTHENTICATED"))).toBe(true);
  expect(await management.store.read((tx) => listPeers(tx, accountId))).toHaveLength(1);
  const row = await management.store.read((tx) => findSetupKey(tx, accountId, id));
  expect(row?.usedTimes).toBe(1);
});

test("a machine that is refused after its key was counted leaves the key unused", async () => {
  const { id, key } = await aSetupKey();
  const peer = await aPeerOf(management.store, accountId);
  const again = management.store.transaction((tx) =>
    enrolWithSetupKey(tx, key, aNewPeer(accountId, { deviceKey: peer.deviceKey })),
  );
  expect(await again.catch((cause) => isQfError(cause, "ERR_CONFLICT"))).toBe(true);
  const row = await management.store.read((tx) => findSetupKey(tx, accountId, id));
  expect(row?.usedTimes).toBe(0);
});

test.each([
  { name: "expired", change: { expiresAt: 1 } },
  { name: "revoked", change: { revoked: true } },
  { name: "used up", change: { type: "reusable" as const, usageLimit: 3, usedTimes: 3 } },
])("a setup key that is $name is refused like an unknown one", async ({ change }) => {
  const { key } = await aSetupKey(change);
  const say = (cause: unknown): string => (isQfError(cause) ? `${cause.code} ${cause.message}` : "?");
  const refused = await enrol(key).then(() => "in", say);
  expect(refused).toBe(await enrol(newSecret("qfs_")).then(() => "in", say));
  expect(refused).toStartWith("ERR_UNAUTHENTICATED");
});

test("a key without end works for as long as it is not revoked or used up", async () => {
  const { key } = await aSetupKey({ expiresAt: ENDLESS, type: "reusable", usageLimit: 2 });
  management.clock.advanceMs(100 * 365 * 86_400_000);
  await enrol(key);
  await enrol(key);
  expect(await enrol(key).catch((cause) => isQfError(cause, "ERR_UNAUTHENTICATED"))).toBe(true);
  const revoked = await aSetupKey({ expiresAt: ENDLESS, revoked: true });
  expect(await enrol(revoked.key).catch((cause) => isQfError(cause, "ERR_UNAUTHENTICATED"))).toBe(true);
});

test("a reusable key without a limit lets in as many as come", async () => {
  const { key } = await aSetupKey({ type: "reusable", usageLimit: 0 });
  const peers = await Promise.all([1, 2, 3].map(() => enrol(key)));
  expect(peers.map(({ peer }) => peer.name).sort()).toEqual(["web", "web-2", "web-3"]);
  expect(new Set(peers.map(({ peer }) => peer.address)).size).toBe(3);
  for (const { peer } of peers) expect(OverlayAddress.safeParse(peer.address).success).toBe(true);
});

test("neither setup key nor token rests in the database", async () => {
  const { key } = await aSetupKey();
  const rows = await management.store.read(async (tx) =>
    Promise.all(Object.values(tx.t).map((table) => tx.sql.select().from(table))),
  );
  expect(JSON.stringify(rows)).toContain(hashSetupKey(key));
  expect(JSON.stringify(rows)).not.toContain(key.slice(8));
  await management.store.close();
  for (const name of readdirSync(management.dataDir)) {
    expect(readFileSync(join(management.dataDir, name)).includes(key.slice(8))).toBe(false);
  }
});

test("a freed name stays reserved: after a rename, after a deletion", async () => {
  const { store } = management;
  const peer = await aPeerOf(store, accountId, { name: "gitlab" });
  await store.transaction((tx) => renamePeer(tx, peer, { name: "forge", dnsName: "forge" }));
  expect((await aPeerOf(store, accountId, { name: "gitlab" })).name).toBe("gitlab-2");
  const renamed = await store.read((tx) => findPeer(tx, accountId, peer.id));
  expect(renamed?.dnsName).toBe("forge");
  await store.transaction((tx) => deletePeer(tx, { ...peer, dnsName: "forge" }));
  expect((await aPeerOf(store, accountId, { name: "forge" })).name).toBe("forge-2");
});

test("a taken name of 63 characters gets a suffix that still fits", async () => {
  const name = "a".repeat(63);
  await aPeerOf(management.store, accountId, { name });
  const second = await aPeerOf(management.store, accountId, { name });
  expect(second.name).toBe(`${"a".repeat(61)}-2`);
});

test("a device's name is its owner's own and takes nothing from machines", async () => {
  const { store } = management;
  const ann = await aUserOf(store, accountId, { email: "Ann.Lee+x@example.com" });
  const bob = await aUserOf(store, accountId, { email: "!@example.com" });
  const machine = await aPeerOf(store, accountId, { name: "gitlab" });
  const names = [];
  for (const owner of [ann, ann, bob]) {
    const device = await aPeerOf(store, accountId, { kind: "device", name: "gitlab", owner });
    names.push(device.dnsName);
  }
  expect(machine.dnsName).toBe("gitlab");
  expect(names).toEqual(["gitlab.ann-lee-x.device", "gitlab-2.ann-lee-x.device", `gitlab.${bob.id}.device`]);
});
