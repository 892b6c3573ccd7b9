import { expect, test } from "bun:test";
import { createTurnstile } from "../../../src/management/sync/keyed-semaphore.ts";

const bounds = { inMax: 2, waitingMax: 2, waitMsMax: 60_000 };

test("a turnstile lets so many in at once, and the next in order of coming", async () => {
  const turnstile = createTurnstile(bounds);
  const first = await turnstile.enter("first");
  await turnstile.enter("second");
  const came: string[] = [];
  const entered = async (name: string): Promise<(() => void) | null> => {
    const leave = await turnstile.enter(name);
    came.push(name);
    return leave;
  };
  const third = entered("third");
  const fourth = entered("fourth");
  expect(await turnstile.enter("fifth")).toBeNull();
  expect([turnstile.inside, came]).toEqual([2, []]);
  first?.();
  first?.(); // Leaves once.
  const leave = await third;
  expect([turnstile.inside, came]).toEqual([2, ["third"]]);
  leave?.();
  expect(await fourth).not.toBeNull();
  expect([turnstile.peak, came]).toEqual([2, ["third", "fourth"]]);
});

test("a turnstile turns away who has waited too long, and lets others in after", async () => {
  const turnstile = createTurnstile({ ...bounds, inMax: 1, waitMsMax: 20 });
  const leave = await turnstile.enter("a");
  expect(await turnstile.enter("a")).toBeNull();
  leave?.();
  expect(turnstile.inside).toBe(0);
  expect(await turnstile.enter("a")).not.toBeNull();
});

test("a turnstile that closes turns away whoever waits or comes", async () => {
  const turnstile = createTurnstile({ ...bounds, inMax: 1 });
  await turnstile.enter("a");
  const waiting = turnstile.enter("a");
  turnstile.close();
  expect([await waiting, await turnstile.enter("a")]).toEqual([null, null]);
});

test("a turnstile gives nobody more than half, and lets others pass those who wait for their own", async () => {
  const turnstile = createTurnstile({ inMax: 2, waitingMax: 4, waitMsMax: 60_000 });
  const first = await turnstile.enter("greedy");
  const came: string[] = [];
  const waiting = ["greedy", "greedy"].map((key) => turnstile.enter(key).then(() => void came.push(key)));
  expect(await turnstile.enter("greedy")).toBeNull();
  const other = await turnstile.enter("other");
  expect(other).not.toBeNull();
  const third = turnstile.enter("third").then((leave) => {
    came.push("third");
    return leave;
  });
  other?.();
  (await third)?.();
  expect(came).toEqual(["third"]);
  first?.();
  await waiting[0];
  expect(came).toEqual(["third", "greedy"]);
  turnstile.close();
  await Promise.all(waiting);
});
