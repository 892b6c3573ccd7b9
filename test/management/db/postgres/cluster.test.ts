import { afterEach, describe, expect, test } from "bun:test";
import { systemClock } from "../../../../src/base/clock.ts";
import { isQfError } from "../../../../src/base/errors.ts";
import { silentLog } from "../../../../src/base/log.ts";
import type { Cluster, KillOrder, LinkState } from "../../../../src/management/db/engine/cluster.ts";
import { openPostgresStore } from "../../../../src/management/db/postgres/store.ts";
import type { Store } from "../../../../src/management/db/store.ts";
import { findVersion, insertAccount } from "../../../../src/management/db/tables/accounts.ts";
import { listEvents, systemInitiator } from "../../../../src/management/db/tables/audit-events.ts";
import { enrolWithSetupKey } from "../../../../src/management/db/tables/new-peer.ts";
import { listPeers } from "../../../../src/management/db/tables/peers.ts";
import { hashSetupKey, insertSetupKey } from "../../../../src/management/db/tables/setup-keys.ts";
import type { LiveSession } from "../../../../src/wire/agent-sync.ts";
import { anAccountRow } from "../../../support/account-row.ts";
import { aNewPeer } from "../../../support/peer-row.ts";
import { hasPostgres, testPostgres } from "../../../support/postgres.ts";
import { until } from "../../../support/until.ts";

const opened: Store[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

const join = async (databaseUrl: string): Promise<Store> => {
  const store = await openPostgresStore({ databaseUrl, clock: systemClock, log: silentLog });
  opened.push(store);
  return store;
};
/** Two processes, as far as the database can tell. */
const two = async (): Promise<[Store, Store, string]> => {
  const databaseUrl = await (await testPostgres()).database();
  const a = await join(databaseUrl);
  await a.transaction((tx) => insertAccount(tx, anAccountRow({ id: "acc" })));
  return [a, await join(databaseUrl), databaseUrl];
};
const change = (store: Store): Promise<void> =>
  store.change({ accountId: "acc", initiator: systemInitiator, affectsMaps: true }, async (tx) => {
    tx.record({ activity: "group.add", targetId: "g" });
  });
const aLink = (state: Partial<LinkState> = {}): LinkState => ({
  accountId: "acc",
  peerId: "peer",
  bootId: "boot",
  ackedVersion: 1,
  sessions: [],
  ...state,
});

describe.skipIf(!hasPostgres)("two processes on one PostgreSQL", () => {
  test("a change made at one is heard at the other, once at each", async () => {
    const [a, b] = await two();
    const heard: string[] = [];
    a.onChange((_, version) => heard.push(`a ${version}`));
    b.onChange((_, version) => heard.push(`b ${version}`));
    b.onAudit((_, seq) => heard.push(`b event ${seq}`));
    await change(a);
    await until(() => heard.length >= 3);
    await change(b);
    await until(() => heard.length >= 6);
    expect(heard.sort()).toEqual(["a 2", "a 3", "b 2", "b 3", "b event 1", "b event 2"]);
  });

  test("one process hears whose sessions a machine at the other reports otherwise", async () => {
    const [a, b] = await two();
    const heard: string[] = [];
    b.cluster?.onElsewhere((accountId, people) => heard.push(`${accountId} ${people.join()}`));
    const session: LiveSession = {
      ...{ connectionId: "c", localUser: "web", userId: "ada", user: "Ada", peer: "", command: "ls" },
      ...{ forwards: [], startedAtSeconds: 1 },
    };
    a.cluster?.announce(aLink({ sessions: [session] }));
    await until(() => heard.includes("acc ada"));
    a.cluster?.announce(aLink({ sessions: [session], ackedVersion: 2 }));
    await until(() => heard.includes("acc "));
    a.cluster?.withdraw("peer");
    await until(() => heard.filter((line) => line === "acc ada").length === 2);
  });

  test("changes at both at once are numbered without gaps", async () => {
    const [a, b] = await two();
    await Promise.all(Array.from({ length: 40 }, (_, i) => change(i % 2 === 0 ? a : b)));
    expect(await a.read((tx) => findVersion(tx, "acc"))).toBe(41);
    const events = await b.read((tx) => listEvents(tx, "acc", { limit: 100, afterSeq: 0 }));
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  });

  test("a one-off key used at both at once enrols exactly one; names and addresses differ", async () => {
    const [a, b] = await two();
    const base = {
      accountId: "acc",
      name: "k",
      masked: "k",
      autoGroups: [],
      ephemeral: false,
      allowExtraDnsLabels: false,
      revoked: false,
      usedTimes: 0,
      createdAt: 1,
      updatedAt: 1,
      expiresAt: 4_000_000_000,
      lastUsedAt: null,
    };
    await a.transaction(async (tx) => {
      await insertSetupKey(tx, {
        ...base,
        id: "once",
        hash: hashSetupKey("once"),
        type: "one-off",
        usageLimit: 1,
      });
      await insertSetupKey(tx, {
        ...base,
        id: "many",
        hash: hashSetupKey("many"),
        type: "reusable",
        usageLimit: 0,
      });
    });
    const enrol = (setupKey: string) =>
      Promise.allSettled(
        Array.from({ length: 30 }, (_, i) => {
          const store = i % 2 === 0 ? a : b;
          return store.transaction((tx) => enrolWithSetupKey(tx, setupKey, aNewPeer("acc")));
        }),
      );
    const once = await enrol("once");
    expect(once.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await enrol("many");
    const peers = await b.read((tx) => listPeers(tx, "acc"));
    expect(peers).toHaveLength(31);
    expect(new Set(peers.map(({ dnsName }) => dnsName)).size).toBe(31);
    expect(new Set(peers.map(({ address }) => address)).size).toBe(31);
  });

  test("links are known at the other process, follow the agent, and end with their process", async () => {
    const [a, b] = await two();
    const taken: string[] = [];
    a.cluster?.onTaken(({ bootId }) => taken.push(bootId));
    a.cluster?.announce(aLink({ bootId: "first" }));
    await until(() => b.cluster?.find("peer")?.bootId === "first");
    a.cluster?.announce(aLink({ bootId: "first", ackedVersion: 7 }));
    await until(() => b.cluster?.find("peer")?.ackedVersion === 7);
    expect(b.cluster?.list("acc")).toHaveLength(1);
    expect(a.cluster?.find("peer")).toBeUndefined();
    b.cluster?.announce(aLink({ bootId: "second" }));
    await until(() => taken.length === 1);
    expect(taken).toEqual(["second"]);
    a.cluster?.withdraw("peer"); // It is no longer a's to withdraw.
    await until(() => a.cluster?.find("peer")?.bootId === "second");
    // What comes after it has arrived, and so has the withdrawal.
    a.cluster?.announce(aLink({ peerId: "marker" }));
    await until(() => b.cluster?.find("marker") !== undefined);
    expect(a.cluster?.find("peer")?.bootId).toBe("second");
    await b.close();
    await until(() => a.cluster?.find("peer") === undefined);
  });

  test("an order to disconnect goes to the process that has the link", async () => {
    const [a, b] = await two();
    const orders: KillOrder[] = [];
    b.cluster?.onKill((order) => orders.push(order));
    expect(a.cluster?.kill({ peerId: "peer", connectionId: "c", reason: "why" })).toBe(false);
    b.cluster?.announce(aLink());
    await until(() => a.cluster?.find("peer") !== undefined);
    expect(a.cluster?.kill({ peerId: "peer", connectionId: "c", reason: "w".repeat(9_000) })).toBe(true);
    await until(() => orders.length === 1);
    expect(orders[0]).toMatchObject({ peerId: "peer", connectionId: "c" });
  });

  test("after PostgreSQL crashed and came back, what was missed is heard and links are told again", async () => {
    const postgres = await testPostgres();
    const [a, b, databaseUrl] = await two();
    a.cluster?.announce(aLink());
    await until(() => b.cluster?.find("peer") !== undefined);
    const versions: number[] = [];
    b.onChange((_, version) => versions.push(version));
    await postgres.crash();
    const refused = await change(a).catch((cause: unknown) => cause);
    expect(isQfError(refused, "ERR_UNAVAILABLE")).toBe(true);
    a.cluster?.relayLinks.announce("acc", "peer");
    await postgres.start();
    // By a third, at once, most likely before the others listen again.
    await change(await join(databaseUrl));
    await until(() => versions.includes(2));
    await change(a);
    await until(() => versions.includes(3));
    await until(() => b.cluster?.find("peer") !== undefined);
    const place = await until(() => b.cluster?.relayLinks.find("acc", "peer"));
    expect(place).toEqual({ processId: a.cluster?.processId ?? "", address: null });
  }, 40_000);

  test("a link to the relay is where it was opened last, of its account, while its process lives", async () => {
    const [a, b, databaseUrl] = await two();
    const c = await join(databaseUrl);
    const [inA, inB, inC] = [a, b, c].map(({ cluster }) => cluster);
    const at = async (who: Cluster | null | undefined, accountId = "acc") =>
      (await who?.relayLinks.find(accountId, "peer"))?.processId;
    const taken: string[] = [];
    inA?.relayLinks.onTaken((peerId) => void taken.push(peerId));
    await inA?.setAddress("127.0.0.1:1");
    inA?.relayLinks.announce("acc", "peer");
    expect(await until(() => inC?.relayLinks.find("acc", "peer"))).toEqual({
      processId: inA?.processId ?? "",
      address: "127.0.0.1:1",
    });
    expect(await at(inC, "another")).toBeUndefined();
    expect(await at(inA)).toBeUndefined();
    inB?.relayLinks.announce("acc", "peer");
    await until(async () => (await at(inC)) === inB?.processId);
    await until(() => taken.length > 0);
    // The older is told to go, and takes nothing with it.
    inA?.relayLinks.withdraw("peer");
    await Bun.sleep(100);
    expect(await at(inC)).toBe(inB?.processId);
    await b.close();
    await until(async () => (await at(inC)) === undefined);
  });
});

describe.skipIf(!hasPostgres)("a database that cannot be used", () => {
  const secret = "password-that-must-not-show";
  test.each([
    { name: "nobody answers", change: { port: "1" }, want: "ERR_UNAVAILABLE" },
    { name: "there is none of that name", change: { pathname: "/none" }, want: "ERR_NOT_INITIALISED" },
    { name: "the user is unknown", change: { username: "nobody" }, want: "ERR_PERMISSION" },
    { name: "it speaks no TLS", change: { search: "?sslmode=require" }, want: "ERR_UNAVAILABLE" },
  ])("$name: it is said, and the password is not", async ({ change, want }) => {
    const url: URL = Object.assign(new URL((await testPostgres()).url), { password: secret, ...change });
    const error = await openPostgresStore({
      databaseUrl: url.href,
      clock: systemClock,
      log: silentLog,
    }).catch((cause: unknown) => cause);
    expect(isQfError(error) ? error.code : error).toBe(want);
    for (let at: unknown = error; at instanceof Error; at = at.cause) {
      expect(Bun.inspect(at)).not.toContain(secret);
    }
  });
});
