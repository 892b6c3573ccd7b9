import { expect, test } from "bun:test";
import { isQfError } from "../../../../src/base/errors.ts";
import { createMutex } from "../../../../src/management/db/engine/mutex.ts";

test("a mutex is given in the order of asking, and released once", async () => {
  const mutex = createMutex();
  const order: number[] = [];
  const run = async (n: number): Promise<void> => {
    const release = await mutex.acquire();
    order.push(n);
    await Bun.sleep(1);
    release();
    release();
  };
  await Promise.all([1, 2, 3, 4].map(run));
  expect(order).toEqual([1, 2, 3, 4]);
});

test("a mutex with too many waiting refuses the next", async () => {
  const mutex = createMutex();
  const release = await mutex.acquire();
  const waiting = Array.from({ length: 4_096 }, () => mutex.acquire().then((done) => done()));
  expect(await mutex.acquire().catch((cause) => isQfError(cause, "ERR_UNAVAILABLE"))).toBe(true);
  release();
  await Promise.all(waiting);
});
