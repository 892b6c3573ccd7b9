import { expect, test } from "bun:test";
import { ChunkSealer, type ChunkSealerOptions } from "../../../src/agent/recording/chunk-sealer.ts";
import { unpackChunk } from "../../../src/recording/chunk.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** A sealer, what it made in order, and how many bytes are being sealed. */
function aSealer(encrypt: ChunkSealerOptions["encrypt"]) {
  const clock = new FakeClock(0);
  const sealed: [Uint8Array, number, number][] = [];
  const broken: unknown[] = [];
  const counted: number[] = [];
  const sealer = new ChunkSealer({
    ...{ clock, encrypt },
    onSealing: (bytes) => void counted.push(bytes),
    onSealed: (...chunk) => void sealed.push(chunk),
    onBroken: (cause) => void broken.push(cause),
  });
  return { sealer, clock, sealed, broken, counted };
}

test("a small chunk that is not encrypted is compressed at once", () => {
  const { sealer, sealed, counted } = aSealer(null);
  sealer.seal(Buffer.from("first\n"), 5);
  expect(sealed.map(([, ...facts]) => facts)).toEqual([[5, expect.any(Number)]]);
  expect(text(unpackChunk(sealed[0]?.[0] ?? new Uint8Array()))).toBe("first\n");
  expect(counted).toEqual([]);
});

test("large chunks are compressed beside what goes on, and come in the order of the text", async () => {
  const { sealer, sealed, counted } = aSealer(null);
  const reused = Buffer.alloc(60_000, "a");
  const texts = ["a", "b", "c"].map((letter) => `${letter.repeat(reused.length - 1)}\n`);
  for (const [i, one] of texts.entries()) {
    reused.write(one);
    sealer.seal(reused, i);
  }
  // A small one that comes meanwhile does not overtake them.
  sealer.seal(Buffer.from("end\n"), 3);
  reused.fill(0);
  expect([sealed.length, counted]).toEqual([0, [60_000, 60_000, 60_000, 4]]);
  await sealer.done;
  expect(sealed.map(([packed, bytes]) => [text(unpackChunk(packed)), bytes])).toEqual([
    ...texts.map((one, i) => [one, i]),
    ["end\n", 3],
  ]);
  expect(counted.reduce((sum, bytes) => sum + bytes, 0)).toBe(0);
  sealer.seal(Buffer.from("later\n"), 4);
  expect(sealed).toHaveLength(5);
});

test("a chunk that cannot be stored is told, and those after it still come", async () => {
  const { clock } = aSealer(null);
  const failure = new Error("the disk is full");
  const broken: unknown[] = [];
  let stored = 0;
  const sealer = new ChunkSealer({
    ...{ clock, encrypt: null, onSealing: () => {} },
    onSealed: () => {
      if (stored++ === 0) throw failure;
    },
    onBroken: (cause) => void broken.push(cause),
  });
  for (const letter of ["a", "b"]) sealer.seal(Buffer.alloc(60_000, letter), 1);
  await sealer.done;
  expect([broken, stored]).toEqual([[failure], 2]);
});

test("chunks are encrypted one at a time, in order, as they were when they came", async () => {
  const waiting: (() => void)[] = [];
  const { sealer, clock, sealed, counted } = aSealer(async (bytes) => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return Buffer.from(`<${text(bytes)}>`);
  });
  const reused = Buffer.from("one");
  const startMs = clock.monotonicMs();
  sealer.seal(reused, 3);
  clock.advanceMs(70);
  reused.write("two");
  sealer.seal(reused, 2);
  reused.fill(0);
  await Bun.sleep(0);
  expect([waiting.length, sealed.length, counted]).toEqual([1, 0, [3, 3]]);
  waiting.shift()?.();
  while (waiting.length === 0) await Bun.sleep(0);
  expect(sealed.map(([bytes]) => text(bytes))).toEqual(["<one>"]);
  waiting.shift()?.();
  await sealer.done;
  expect(sealed.map(([bytes, count, sinceMs]) => [text(bytes), count, sinceMs - startMs])).toEqual([
    ["<one>", 3, 0],
    ["<two>", 2, 70],
  ]);
  expect(counted.reduce((sum, bytes) => sum + bytes, 0)).toBe(0);
});

test("a chunk that cannot be encrypted or stored is told, counts no more, and never rejects", async () => {
  const failure = new Error("no key");
  const { sealer, sealed, broken, counted } = aSealer(async (bytes) => {
    if (text(bytes) === "bad") throw failure;
    return bytes;
  });
  for (const part of ["bad", "good"]) sealer.seal(Buffer.from(part), part.length);
  await sealer.done;
  expect(broken).toEqual([failure]);
  expect(sealed.map(([bytes]) => text(bytes))).toEqual(["good"]);
  expect(counted.reduce((sum, bytes) => sum + bytes, 0)).toBe(0);
});
