import { expect, test } from "bun:test";
import { releaseBuffer } from "../../src/base/release-buffer.ts";

test("what has its memory for itself is empty afterwards", () => {
  const whole = new Uint8Array(100).fill(7);
  releaseBuffer(whole);
  expect(whole.length).toBe(0);
});

test.each([
  ["its first half", (whole: Uint8Array) => releaseBuffer(whole.subarray(0, 50))],
  ["its second half", (whole: Uint8Array) => releaseBuffer(whole.subarray(50))],
  ["all but a header that was not named", (whole: Uint8Array) => releaseBuffer(whole.subarray(5))],
  ["all but a longer header", (whole: Uint8Array) => releaseBuffer(whole.subarray(6), 5)],
  ["a part beside a header", (whole: Uint8Array) => releaseBuffer(whole.subarray(5, 99), 5)],
])("memory of which this is only %s stays", (_part, act) => {
  const whole = new Uint8Array(100).fill(7);
  act(whole);
  expect(whole.length).toBe(100);
});

test("what is all but a header of that length takes the header with it", () => {
  const whole = new Uint8Array(100).fill(7);
  releaseBuffer(whole.subarray(5), 5);
  expect(whole.length).toBe(0);
});
