import { expect, test } from "bun:test";
import { createTurns } from "../../../src/management/idp/turns.ts";

test("work runs so many at a time, in order, and the line is bounded", async () => {
  const turns = createTurns(1, 2);
  const order: number[] = [];
  const gate = Promise.withResolvers<void>();
  const work = (n: number) => async () => {
    await gate.promise;
    order.push(n);
    return n;
  };
  const all = [1, 2, 3, 4].map((n) => turns.run(work(n)));
  expect(await all[3]).toBe("busy");
  gate.resolve();
  expect(await Promise.all(all)).toEqual([1, 2, 3, "busy"]);
  expect([order, turns.isIdle()]).toEqual([[1, 2, 3], true]);
});

test("work that fails gives its turn on", async () => {
  const turns = createTurns(1, 1);
  const failing = turns.run(() => Promise.reject(new Error("no")));
  const next = turns.run(async () => "yes");
  expect(await failing.catch((error: Error) => error.message)).toBe("no");
  expect([await next, turns.isIdle()]).toEqual(["yes", true]);
});
