import { expect, test } from "bun:test";
import { RelayWindow } from "../../src/fabric/relay-window.ts";
import { RELAY_CREDIT_BULK, RELAY_CREDIT_INITIAL, RELAY_CREDIT_MAX } from "../../src/wire/relay.ts";

/** The window after a second of reading so many bytes in each millisecond. */
function after(bytesPerMs: number, mostBytes = RELAY_CREDIT_MAX): number {
  const window = new RelayWindow();
  let bytes = 0;
  for (let ms = 1; ms <= 1_000; ms++) bytes = window.bytes(ms * bytesPerMs, 5_000 + ms, mostBytes);
  return bytes;
}

/** Bytes in a millisecond, of which the window is between the smallest and the largest. */
const MIDDLE = Math.floor((RELAY_CREDIT_BULK + RELAY_CREDIT_MAX) / 2 / 200);

test.each([
  ["a slow reader has the window it began with", 1_000, RELAY_CREDIT_BULK],
  ["one in between has what it reads in 200 ms", MIDDLE, 200 * MIDDLE],
  ["a fast one has the most there is", 500_000, RELAY_CREDIT_MAX],
])("%s", (_what, bytesPerMs, bytes) => {
  expect(after(bytesPerMs)).toBe(bytes);
});

test("a stream that carries little has a small window, however fast", () => {
  const window = new RelayWindow();
  expect(window.bytes(RELAY_CREDIT_INITIAL - 1, 1, RELAY_CREDIT_MAX)).toBe(RELAY_CREDIT_INITIAL);
});

test("no window is larger than what this end is ready to hold, nor smaller than what a stream begins with", () => {
  expect(after(500_000, 300_000)).toBe(300_000);
  expect(after(500_000, 1_000)).toBe(RELAY_CREDIT_INITIAL);
});

test("a reader that has become slow has a small window again", () => {
  const window = new RelayWindow();
  const fastBytes = 100 * 500_000;
  for (let ms = 1; ms <= 100; ms++) window.bytes(ms * 500_000, 5_000 + ms, RELAY_CREDIT_MAX);
  expect(window.bytes(fastBytes, 5_101, RELAY_CREDIT_MAX)).toBe(RELAY_CREDIT_MAX);
  for (let ms = 101; ms <= 200; ms++) window.bytes(fastBytes + ms, 5_000 + ms, RELAY_CREDIT_MAX);
  expect(window.bytes(fastBytes + 101, 5_201, RELAY_CREDIT_MAX)).toBe(RELAY_CREDIT_BULK);
});
