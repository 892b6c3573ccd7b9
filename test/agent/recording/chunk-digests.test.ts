import { expect, test } from "bun:test";
import { ChunkDigests } from "../../../src/agent/recording/chunk-digests.ts";
import { digestOfChunk, digestText, emptyChain, extendChain } from "../../../src/recording/chunk.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function someDigests(isStored = true) {
  const clock = new FakeClock();
  const noted: [first: number, count: number][] = [];
  const told: string[] = [];
  const lost: string[] = [];
  const digests = new ChunkDigests({
    clock,
    note: async (first, list) => {
      noted.push([first, list.length]);
      told.push(...list);
      return isStored;
    },
    onLost: () => lost.push("lost"),
  });
  const add = (count: number) => {
    for (let i = 0; i < count; i++) digests.add(Buffer.from(`chunk ${digests.totals.chunks}`));
  };
  return { clock, noted, told, lost, digests, add };
}

test("every chunk is told of once, in order, and the chain is over all", async () => {
  const { digests, add, told } = someDigests();
  add(400);
  await digests.end();
  const all = Array.from({ length: 400 }, (_, i) => digestOfChunk(Buffer.from(`chunk ${i}`)));
  expect(told).toEqual(all.map(digestText));
  expect(digests.totals.digest).toBe(digestText(all.reduce(extendChain, emptyChain())));
  expect(digests.totals.bytes).toBe(all.reduce((sum, _, i) => sum + `chunk ${i}`.length, 0));
});

test("chunks that come at once go into few events, and others into an event for every 64", async () => {
  const { clock, digests, add, noted } = someDigests();
  add(64 + 256);
  clock.advanceMs(1_000);
  add(64);
  clock.advanceMs(1_000);
  add(64 + 1);
  await digests.end();
  expect(noted).toEqual([
    [0, 64],
    [64, 256],
    [320, 64],
    [384, 64],
    [448, 1],
  ]);
});

test("that they cannot be stored is told", async () => {
  const { digests, add, lost } = someDigests(false);
  add(1);
  await digests.end();
  expect(lost).toEqual(["lost"]);
});
