import { expect, test } from "bun:test";
import { OutputGatherer } from "../../../src/agent/recording/output-gatherer.ts";

function aGatherer() {
  const events: [string, number][] = [];
  const gatherer = new OutputGatherer((data, atMs) => events.push([Buffer.from(data).toString(), atMs]));
  return { events, gatherer };
}

test("pieces of a moment are one event, at the time of the first", () => {
  const { events, gatherer } = aGatherer();
  for (const [text, atMs] of [
    ["a", 10],
    ["b", 12],
    ["c", 15],
    ["d", 16],
  ] as const) {
    gatherer.add(Buffer.from(text), atMs);
  }
  gatherer.flush();
  gatherer.flush();
  expect(events).toEqual([
    ["abc", 10],
    ["d", 16],
  ]);
});

test("nothing is lost or moved, however large the pieces are", () => {
  const { events, gatherer } = aGatherer();
  const pieces = [1, 4_000, 40_000, 30_000, 5_000, 32_768, 2].map((size, i) => String(i).repeat(size));
  for (const piece of pieces) gatherer.add(Buffer.from(piece), 1);
  gatherer.flush();
  expect(events.map(([text]) => text).join("")).toBe(pieces.join(""));
});
