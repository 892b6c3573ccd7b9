import { expect, test } from "bun:test";
import { createGatheringReader } from "../../../src/agent/os/gathering-reader.ts";
import type { FdReader } from "../../../src/agent/os/pipes.ts";

/** A reader of these pieces. "wait": nothing more comes until `go`. */
function readerOf(pieces: readonly (number | "wait")[]) {
  const waiting = Promise.withResolvers<void>();
  const left = [...pieces];
  const reader: FdReader = {
    async read() {
      let piece = left.shift();
      if (piece === "wait") {
        await waiting.promise;
        piece = left.shift();
      }
      return typeof piece === "number" ? new Uint8Array(piece).fill(left.length) : null;
    },
    close: () => {},
  };
  return { reader, go: waiting.resolve };
}

/** Waits that no test can outlast. */
const LONG_MS = 60_000;

async function sizesOf(reader: FdReader): Promise<number[]> {
  const sizes: number[] = [];
  for (let data = await reader.read(); data !== null; data = await reader.read()) sizes.push(data.length);
  expect(await reader.read()).toBeNull();
  return sizes;
}

test.each([
  ["short reads alone", [1, 80, 1], [1, 80, 1]],
  ["full reads together, up to a packet", Array<number>(20).fill(4096), [8 * 4096, 8 * 4096, 4 * 4096]],
  ["full reads with the short one that ends them", [4095, 4096, 10, 3], [8201, 3]],
  ["a full read before the end", [4096], [4096]],
  ["large reads alone", [40_000, 40_000], [40_000, 40_000]],
  ["nothing", [], []],
])("it gives %s", async (_what, pieces, sizes) => {
  expect(await sizesOf(createGatheringReader(readerOf(pieces).reader, LONG_MS))).toEqual(sizes);
});

test("what was gathered does not wait for what does not come, which follows whole and in order", async () => {
  const { reader, go } = readerOf([4096, 4096, "wait", 4096, 7]);
  const gathering = createGatheringReader(reader, 1);
  expect((await gathering.read())?.length).toBe(8192);
  go();
  const rest = await gathering.read();
  expect([rest?.length, rest?.[0], rest?.at(-1)]).toEqual([4103, 1, 0]);
  expect(await gathering.read()).toBeNull();
});
