import { expect, test } from "bun:test";
import { createKeyedSemaphore } from "../../../src/management/sync/keyed-semaphore.ts";

const bounds = { inMax: 2, waitingMax: 2, waitMsMax: 60_000 };

test("a semaphore lets so many in at once, and the next in order of coming", async () => {
  const semaphore = createKeyedSemaphore(bounds);
  const first = await semaphore.enter("first");
  await semaphore.enter("second");
  const came: string[] = [];
  const entered = async (name: string): Promise<(() => void) | null> => {
    const leave = await semaphore.enter(name);
    came.push(name);
    return leave;
  };
  const third = entered("third");
  const fourth = entered("fourth");
  expect(await semaphore.enter("fifth")).toBeNull();
  expect([semaphore.inside, came]).toEqual([2, []]);
  first?.();
  first?.(); // Leaves once.
  const leave = await third;
  expect([semaphore.inside, came]).toEqual([2, ["third"]]);
  leave?.();
  expect(await fourth).not.toBeNull();
  expect([semaphore.peak, came]).toEqual([2, ["third", "fourth"]]);
});

test("a semaphore turns away who has waited too long, and lets others in after", async () => {
  const semaphore = createKeyedSemaphore({ ...bounds, inMax: 1, waitMsMax: 20 });
  const leave = await semaphore.enter("a");
  expect(await semaphore.enter("a")).toBeNull();
  leave?.();
  expect(semaphore.inside).toBe(0);
  expect(await semaphore.enter("a")).not.toBeNull();
});

test("a semaphore that closes turns away whoever waits or comes", async () => {
  const semaphore = createKeyedSemaphore({ ...bounds, inMax: 1 });
  await semaphore.enter("a");
  const waiting = semaphore.enter("a");
  semaphore.close();
  expect([await waiting, await semaphore.enter("a")]).toEqual([null, null]);
});

test("a semaphore gives nobody more than half, and lets others pass those who wait for their own", async () => {
  const semaphore = createKeyedSemaphore({ inMax: 2, waitingMax: 4, waitMsMax: 60_000 });
  const first = await semaphore.enter("greedy");
  const came: string[] = [];
  const waiting = ["greedy", "greedy"].map((key) => semaphore.enter(key).then(() => void came.push(key)));
  expect(await semaphore.enter("greedy")).toBeNull();
  const other = await semaphore.enter("other");
  expect(other).not.toBeNull();
  const third = semaphore.enter("third").then((leave) => {
    came.push("third");
    return leave;
  });
  other?.();
  (await third)?.();
  expect(came).toEqual(["third"]);
  first?.();
  await waiting[0];
  expect(came).toEqual(["third", "greedy"]);
  semaphore.close();
  await Promise.all(waiting);
});
