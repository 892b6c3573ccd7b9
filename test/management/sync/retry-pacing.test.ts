import { expect, test } from "bun:test";
import { createRetryPacing, type RetryPacing } from "../../../src/management/sync/retry-pacing.ts";
import { RETRY_MS_MAX } from "../../../src/wire/agent-sync.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function aCrowd(returns: RetryPacing, count: number): number[] {
  return Array.from({ length: count }, () => returns.retryAfterMs());
}

/**
 * So many seconds in which some are served and one is turned away. Returns what the last of these was told.
 */
function busyFor(seconds: number, perSecond: number, { returns, clock }: ServerContext): number {
  let told = 0;
  for (let second = 0; second < seconds; second++) {
    for (let i = 0; i < perSecond; i++) {
      returns.served();
      clock.advanceMs(1_000 / perSecond);
    }
    told = returns.retryAfterMs();
  }
  return told;
}

interface ServerContext {
  readonly clock: FakeClock;
  readonly returns: RetryPacing;
}

function aServerContext(): ServerContext {
  const clock = new FakeClock();
  return { clock, returns: createRetryPacing(clock) };
}

test("those who are turned away come one after the other, the first of them soon", () => {
  const { returns } = aServerContext();
  const told = aCrowd(returns, 10_000);
  expect(told[0]).toBeLessThanOrEqual(1_500);
  expect(Math.min(...told)).toBeGreaterThanOrEqual(500);
  expect(told[9_999]).toBeGreaterThanOrEqual(10_000);
  expect(Math.max(...told)).toBeLessThanOrEqual(11_500);
  // In no second more than may come in one, and a share of the last who are spread into it.
  for (let fromMs = 0; fromMs < 12_000; fromMs += 1_000) {
    expect(told.filter((ms) => ms >= fromMs && ms < fromMs + 1_000).length).toBeLessThanOrEqual(1_200);
  }
});

test("they come as fast as others are let in, a little faster, so that more room is found", () => {
  const world = aServerContext();
  busyFor(20, 500, world);
  const told = aCrowd(world.returns, 1_000);
  expect(told[999]).toBeGreaterThan(500 + 999 * (1_000 / 650));
  expect(told[999]).toBeLessThan(1_500 + 999 * (1_000 / 600));
});

test("where nobody is let in the pace falls to its least, and nobody is told to come later than the latest", () => {
  const { clock, returns } = aServerContext();
  for (let second = 0; second < 20; second++) {
    expect(returns.retryAfterMs()).toBeLessThanOrEqual(RETRY_MS_MAX);
    clock.advanceMs(1_000);
  }
  const told = aCrowd(returns, 50_000);
  expect(told[100]).toBeGreaterThanOrEqual(500 + 100 * (1_000 / 501));
  expect(Math.max(...told)).toBeLessThanOrEqual(RETRY_MS_MAX);
  const late = told.slice(30_000);
  expect(Math.min(...late)).toBeGreaterThanOrEqual(RETRY_MS_MAX / 2);
  expect(new Set(late).size).toBeGreaterThan(1_000);
});

test("a pace that fell rises again: with what is let in, and at once where nobody is turned away", () => {
  const rising = aServerContext();
  busyFor(20, 1, rising);
  // Whoever comes is let in, as many as were told to come.
  for (let perSecond = 440; perSecond < 1_000; perSecond *= 1.25) busyFor(2, Math.floor(perSecond), rising);
  expect(aCrowd(rising.returns, 1_000).at(-1)).toBeLessThan(3_500);

  const quiet = aServerContext();
  busyFor(20, 1, quiet);
  for (let i = 0; i < 8; i++) {
    quiet.clock.advanceMs(1_000);
    quiet.returns.served();
  }
  expect(aCrowd(quiet.returns, 1_000).at(-1)).toBeLessThan(2_600);
});

test("who was told before is forgotten once the time is over", () => {
  const { clock, returns } = aServerContext();
  aCrowd(returns, 10_000);
  clock.advanceMs(60_000);
  expect(returns.retryAfterMs()).toBeLessThanOrEqual(1_500);
});

test("who is lost when management stops is spread by their number", () => {
  const { returns } = aServerContext();
  expect(returns.spreadMs(10_000)).toBe(10_000);
  expect(returns.spreadMs(1_000_000)).toBe(RETRY_MS_MAX);
});
