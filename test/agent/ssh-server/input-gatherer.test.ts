import { expect, test } from "bun:test";
import { InputGatherer } from "../../../src/agent/ssh-server/input-gatherer.ts";

/** A packet of its own memory, as the transport decrypts them, filled with `byte`. */
function packet(bytes: number, byte: number): Buffer {
  return Buffer.from(new ArrayBuffer(bytes)).fill(byte);
}

/** Takes all at once, and remembers what it was. */
function taker(): { taken: Buffer[]; gatherer: InputGatherer } {
  const taken: Buffer[] = [];
  const gatherer = new InputGatherer((data) => {
    taken.push(Buffer.from(data));
    return null;
  });
  return { taken, gatherer };
}

/** A turn of the loop: what waits for promises alone has had its say. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const sizes = (taken: readonly Buffer[]): number[] => taken.map(({ length }) => length);

test("packets of one turn go on together, in their order", async () => {
  const { taken, gatherer } = taker();
  for (let i = 0; i < 3; i++) gatherer.add(packet(32_768, i));
  expect(taken).toEqual([]);
  await Promise.resolve();
  expect(sizes(taken)).toEqual([3 * 32_768]);
  const wanted = Buffer.concat(Array.from({ length: 3 }, (_, i) => packet(32_768, i)));
  expect(taken[0]?.equals(wanted)).toBe(true);
});

test("a small piece goes on at once, and behind large ones in its place", async () => {
  const { taken, gatherer } = taker();
  gatherer.add(Buffer.from("a"));
  expect(sizes(taken)).toEqual([1]);
  gatherer.add(packet(20_000, 1));
  gatherer.add(Buffer.from("b"));
  expect(sizes(taken)).toEqual([1]);
  await Promise.resolve();
  expect(sizes(taken)).toEqual([1, 20_001]);
  expect(taken[1]?.at(-1)).toBe("b".charCodeAt(0));
});

test("no more gathers than a bound, whatever one turn brings", async () => {
  const { taken, gatherer } = taker();
  for (let i = 0; i < 40; i++) gatherer.add(packet(32_768, i));
  await Promise.resolve();
  expect(taken.length).toBeGreaterThan(1);
  expect(Math.max(...sizes(taken))).toBeLessThanOrEqual(128 * 1024);
  expect(Buffer.concat(taken).length).toBe(40 * 32_768);
  expect(Buffer.concat(taken).every((byte, at) => byte === Math.floor(at / 32_768))).toBe(true);
});

test("a piece larger than the bound goes on whole, in its place", async () => {
  const { taken, gatherer } = taker();
  gatherer.add(packet(10_000, 1));
  gatherer.add(packet(200_000, 2));
  gatherer.add(packet(10_000, 3));
  await Promise.resolve();
  expect(sizes(taken)).toEqual([10_000, 200_000, 10_000]);
});

test("who has not written one piece gets no other, and none changes while it is written", async () => {
  const taken: { data: Buffer; release: () => void }[] = [];
  const gatherer = new InputGatherer((data) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    taken.push({ data, release: resolve });
    return promise;
  });
  gatherer.add(packet(20_000, 1));
  const first = gatherer.flush();
  expect(first).not.toBeNull();
  gatherer.add(packet(20_000, 2));
  gatherer.add(Buffer.from("small"));
  gatherer.flush();
  gatherer.add(Buffer.from("last"));
  const all = gatherer.flush();
  await turn();
  expect(taken).toHaveLength(1);
  expect(taken[0]?.data.every((byte) => byte === 1)).toBe(true);
  taken[0]?.release();
  await first;
  await turn();
  expect(taken).toHaveLength(2);
  expect(taken[1]?.data.toString("latin1", 20_000)).toBe("small");
  taken[1]?.release();
  await turn();
  expect(taken[2]?.data.toString()).toBe("last");
  taken[2]?.release();
  await all;
  expect(gatherer.flush()).toBeNull();
});

test("a piece that could not be written does not keep the next from being tried", async () => {
  let count = 0;
  const gatherer = new InputGatherer(() => {
    count++;
    return Promise.reject(new Error("gone"));
  });
  for (let i = 0; i < 3; i++) {
    gatherer.add(packet(20_000, i));
    await gatherer.flush();
  }
  expect(count).toBe(3);
});

test("memory that a piece shares with others stays", async () => {
  const { gatherer } = taker();
  const shared = Buffer.from(new ArrayBuffer(100_000)).fill(7);
  gatherer.add(shared.subarray(0, 20_000));
  await Promise.resolve();
  expect(shared.length).toBe(100_000);
});
