import { afterEach, beforeEach, expect, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import { isQfError } from "../../../src/base/errors.ts";
import type { Writer } from "../../../src/management/db/engine/transaction.ts";
import type { Store } from "../../../src/management/db/store.ts";
import { findMeta, findVersion, insertAccount, putMeta } from "../../../src/management/db/tables/accounts.ts";
import { listEvents, systemInitiator } from "../../../src/management/db/tables/audit-events.ts";
import { anAccountRow } from "../../support/account-row.ts";
import { openAnyTestStore } from "../../support/any-store.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { tempFolder } from "../../support/temp-folder.ts";

let store: Store;

beforeEach(() => {
  store = openAnyTestStore(tempFolder(), new FakeClock());
});
afterEach(() => store.close());

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  return isQfError(error) ? error.code : String(error);
};

test("a transaction that throws after an await leaves nothing behind", async () => {
  const failing = store.transaction(async (tx) => {
    await putMeta(tx, "origin", "https://a.example");
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(await store.read((tx) => findMeta(tx, "origin"))).toBeUndefined();
});

test("two transactions at once run one after the other", async () => {
  const order: string[] = [];
  const run = (name: string) =>
    store.transaction(async (tx) => {
      order.push(`${name} begins`);
      const before = Number((await findMeta(tx, "epoch")) ?? "0");
      await Bun.sleep(2);
      await putMeta(tx, "epoch", String(before + 1));
      order.push(`${name} ends`);
    });
  await Promise.all([run("a"), run("b"), run("c")]);
  expect(order).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  expect(await store.read((tx) => findMeta(tx, "epoch"))).toBe("3");
});

test("a reader never sees what is not committed", async () => {
  let seen: string | undefined = "unset";
  await store.transaction(async (tx) => {
    await putMeta(tx, "origin", "https://a.example");
    seen = await store.read((reader) => findMeta(reader, "origin"));
  });
  expect(seen).toBeUndefined();
  expect(await store.read((tx) => findMeta(tx, "origin"))).toBe("https://a.example");
});

test("a snapshot sees one moment, however long it takes", async () => {
  await store.transaction((tx) => putMeta(tx, "epoch", "1"));
  const seen = await store.snapshot(async (tx) => {
    const before = await findMeta(tx, "epoch");
    await store.transaction((writer) => putMeta(writer, "epoch", "2"));
    return [before, await findMeta(tx, "epoch")];
  });
  expect(seen).toEqual(["1", "1"]);
  expect(await store.read((tx) => findMeta(tx, "epoch"))).toBe("2");
});

test("a transaction is not used after its end, and not nested", async () => {
  let kept: Writer | undefined;
  await store.transaction(async (tx) => {
    kept = tx;
  });
  await expect(putMeta(kept as Writer, "epoch", "9")).rejects.toThrow();
  const nested = store.transaction(() => store.transaction(async () => {}));
  await expect(nested).rejects.toThrow("not started inside another");
  expect(await codeOf(store.transaction((tx) => putMeta(tx, "epoch", "1")))).toBe("undefined");
});

test("a failed query tells nothing of its parameters", async () => {
  const secret = "parameter-that-must-not-show";
  const failures = [
    store.transaction(async (tx) => {
      await insertAccount(tx, anAccountRow({ id: secret }));
      await insertAccount(tx, anAccountRow({ id: secret }));
    }),
    store.read(async (tx) => {
      await tx.sql.select({ no: sql`no_such_column` }).from(tx.t.meta).where(eq(tx.t.meta.key, secret));
    }),
  ];
  // All are waited for at once: whichever fails first has somebody who hears of it.
  for (const failure of await Promise.allSettled(failures)) {
    const error: unknown = failure.status === "rejected" ? failure.reason : undefined;
    expect(isQfError(error)).toBe(true);
    const told = [];
    for (let at: unknown = error; at instanceof Error; at = at.cause)
      told.push(at.message, at.stack, at.name);
    expect(JSON.stringify([told, error])).not.toContain(secret);
    expect(told).not.toContain("DrizzleQueryError");
  }
});

test("a change raises the version, numbers its events, and tells listeners after the commit", async () => {
  await store.transaction((tx) => insertAccount(tx, anAccountRow({ id: "acc" })));
  const heard: string[] = [];
  store.onChange((accountId, version) => heard.push(`${accountId} version ${version}`));
  store.onAudit((accountId, seq) => heard.push(`${accountId} event ${seq}`));
  await store.change({ accountId: "acc", initiator: systemInitiator }, async (tx) => {
    tx.record({ activity: "group.add", targetId: "g1" });
    tx.record({ activity: "group.add", targetId: "g2" });
    expect(heard).toEqual([]);
  });
  await store.change({ accountId: "acc", initiator: systemInitiator, affectsMaps: true }, async (tx) => {
    tx.record({ activity: "group.delete", targetId: "g1" });
  });
  expect(heard).toEqual(["acc event 2", "acc version 2", "acc event 3"]);
  expect(await store.read((tx) => findVersion(tx, "acc"))).toBe(2);
  const events = await store.read((tx) => listEvents(tx, "acc", { limit: 10 }));
  expect(events.map((event) => [event.seq, event.activity, event.targetId])).toEqual([
    [3, "group.delete", "g1"],
    [2, "group.add", "g2"],
    [1, "group.add", "g1"],
  ]);
});

test("a change that throws leaves no event and raises nothing", async () => {
  await store.transaction((tx) => insertAccount(tx, anAccountRow({ id: "acc" })));
  const failing = store.change(
    {
      accountId: "acc",
      initiator: systemInitiator,
      affectsMaps: true,
      events: [{ activity: "group.add", targetId: "g" }],
    },
    async () => {
      throw new Error("no");
    },
  );
  await expect(failing).rejects.toThrow("no");
  expect(await store.read((tx) => listEvents(tx, "acc", { limit: 10 }))).toEqual([]);
  expect(await store.read((tx) => findVersion(tx, "acc"))).toBe(1);
});

test("a listener that throws disturbs nobody", async () => {
  await store.transaction((tx) => insertAccount(tx, anAccountRow({ id: "acc" })));
  const heard: number[] = [];
  store.onChange(() => {
    throw new Error("bug");
  });
  const stop = store.onChange((_, version) => heard.push(version));
  const change = () =>
    store.change({ accountId: "acc", initiator: systemInitiator, affectsMaps: true }, async () => {});
  await change();
  stop();
  await change();
  expect(heard).toEqual([2]);
});
