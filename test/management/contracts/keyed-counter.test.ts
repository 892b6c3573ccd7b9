import { expect, test } from "bun:test";
import { createKeyedCounter, createSourceCounter } from "../../../src/management/contracts/keyed-counter.ts";

test("a key is full at its bound, and all are at the total", () => {
  const counter = createKeyedCounter(3, 2);
  counter.enter("a");
  counter.enter("a");
  expect([counter.isFull("a"), counter.isFull("b")]).toEqual([true, false]);
  counter.enter("b");
  expect(counter.isFull("c")).toBe(true);
  counter.leave("a");
  expect([counter.isFull("a"), counter.total]).toEqual([false, 2]);
});

test.each([
  ["an IPv4 address", () => "192.0.2.1", 4],
  ["a /64", (i: number) => `2001:db8::${i.toString(16)}`, 4],
  ["a /56", (i: number) => `2001:db8:0:${i.toString(16)}::1`, 8],
  ["a /48", (i: number) => `2001:db8:0:${(i * 256).toString(16)}::1`, 16],
  ["all", (i: number) => `2001:db8:${i.toString(16)}::1`, 64],
])("createSourceCounter lets so many of %s in", (_name, addressOf, want) => {
  const counter = createSourceCounter(64, 4);
  const inside: string[] = [];
  for (let i = 0; i < 100; i++) {
    const address = addressOf(i);
    if (counter.isFull(address)) continue;
    counter.enter(address);
    inside.push(address);
  }
  expect(inside).toHaveLength(want);
  for (const address of inside) counter.leave(address);
  expect([counter.total, counter.isFull(addressOf(0))]).toEqual([0, false]);
});
