import { expect, test } from "bun:test";
import { createGuessLimits, type Guess } from "../../../src/management/idp/guess-limits.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const ada: Guess = { email: "ada@example.com", address: "192.0.2.1", knownBrowser: null };

function limitsOf() {
  const pauses: number[] = [];
  const clock = new FakeClock();
  const limits = createGuessLimits(clock, async (ms) => void pauses.push(ms));
  const admitted = async (guess: Guess, count: number) => {
    let number = 0;
    for (let i = 0; i < count; i++) if ((await limits.admit(guess)) !== null) number += 1;
    return number;
  };
  return { limits, admitted, pauses, clock };
}

test("one source has ten tries for a person in five minutes, and sixty for all", async () => {
  const { admitted, clock } = limitsOf();
  expect(await admitted(ada, 12)).toBe(10);
  expect(await admitted({ ...ada, email: "bob@example.com" }, 5)).toBe(5);
  let number = 0;
  for (let i = 0; i < 60; i++) number += await admitted({ ...ada, email: `p${i}@example.com` }, 1);
  expect(number).toBe(43);
  clock.advanceMs(5 * 60_000);
  expect(await admitted(ada, 1)).toBe(1);
});

test("a try that was right gives back those of its source for the person", async () => {
  const { limits, admitted } = limitsOf();
  expect(await admitted(ada, 9)).toBe(9);
  (await limits.admit(ada))?.forgive();
  expect(await admitted(ada, 12)).toBe(10);
});

test("failures from anywhere delay a person's next try, up to five seconds, and nobody else's", async () => {
  const { admitted, pauses } = limitsOf();
  for (let i = 0; i < 20; i++) await admitted({ ...ada, address: `198.51.100.${i}` }, 1);
  expect(pauses.slice(9)).toEqual([0, 250, 500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000, 5_000, 5_000]);
  await admitted({ ...ada, email: "bob@example.com" }, 1);
  expect(pauses.at(-1)).toBe(0);
});

test("a known browser is neither delayed nor counted with others, and has a bound of its own", async () => {
  const { admitted, pauses } = limitsOf();
  for (let i = 0; i < 20; i++) await admitted({ ...ada, address: `198.51.100.${i}` }, 1);
  const before = pauses.length;
  expect(await admitted({ ...ada, knownBrowser: "ada laptop" }, 12)).toBe(10);
  expect(await admitted({ ...ada, knownBrowser: "ada phone" }, 1)).toBe(1);
  expect(pauses).toHaveLength(before);
});
