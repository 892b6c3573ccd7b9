import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { createSeal } from "../../../src/management/relay/tunnel-seal.ts";
import { RELAY_SEAL_BYTES } from "../../../src/wire/relay-tunnel.ts";

function twoEnds() {
  const [there, back] = [randomBytes(32), randomBytes(32)];
  return { near: createSeal(there, back), far: createSeal(back, there) };
}

test("messages come out as they went in, in both directions, in order", () => {
  const { near, far } = twoEnds();
  for (const text of ["one", "two", "", "x".repeat(300_000)]) {
    const sealed = near.seal(Buffer.from(text));
    expect(sealed.length).toBe(Buffer.byteLength(text) + RELAY_SEAL_BYTES);
    expect(far.open(sealed)?.toString()).toBe(text);
    expect(near.open(far.seal(Buffer.from(text)))?.toString()).toBe(text);
  }
});

test("equal messages look different on the way", () => {
  const { near } = twoEnds();
  expect(near.seal(Buffer.from("same")).equals(near.seal(Buffer.from("same")))).toBe(false);
});

test.each<[string, (first: Buffer, second: Buffer) => Buffer]>([
  ["with one bit changed", (first) => Buffer.from(first.map((byte, i) => (i === 0 ? byte ^ 1 : byte)))],
  [
    "with its seal changed",
    (first) => Buffer.from(first.map((byte, i) => (i === first.length - 1 ? byte ^ 1 : byte))),
  ],
  ["that is cut short", (first) => first.subarray(0, -1)],
  ["that is shorter than a seal", (first) => first.subarray(0, RELAY_SEAL_BYTES - 1)],
  ["out of order", (_, second) => second],
])("a message %s does not open", (_, change) => {
  const { near, far } = twoEnds();
  expect(far.open(change(near.seal(Buffer.from("first")), near.seal(Buffer.from("second"))))).toBeNull();
});

test("a message does not open twice, nor at the end that sealed it", () => {
  const { near, far } = twoEnds();
  const sealed = near.seal(Buffer.from("once"));
  expect(far.open(sealed)?.toString()).toBe("once");
  expect(far.open(sealed)).toBeNull();
  expect(twoEnds().near.open(sealed)).toBeNull();
});
