import { expect, test } from "bun:test";
import { replay, type Screen, shownOf } from "../../src/cli/replay.ts";
import { FakeClock } from "../support/fake-clock.ts";

const HEADER = JSON.stringify({ version: 2, width: 80, height: 24, timestamp: 1_800_000_000 });
const LINES = [
  '[0.5, "o", "a"]',
  '[0.6, "i", "typed"]',
  '[10.5, "o", "\\u001b]0;x\\u0007b"]',
  '[11.0, "o", "c\\udcff"]',
];

async function* pieces(): AsyncGenerator<string> {
  for (const line of [HEADER, ...LINES]) yield `${line}\n`;
}

/** A terminal on which time passes only by waiting. */
function aScreen(stopAfter = Number.POSITIVE_INFINITY) {
  const clock = new FakeClock();
  const startMs = clock.monotonicMs();
  const shown: [number, string][] = [];
  const screen: Screen = {
    write: async (text) => void shown.push([clock.monotonicMs() - startMs, text]),
    wait: async (ms) => clock.advanceMs(ms),
    get isOver() {
      return shown.length >= stopAfter;
    },
  };
  return { clock, screen, shown };
}

test.each([
  { name: "in its own time", pace: { speed: 1, idleLimit: 60 }, times: [500, 10_500, 11_000] },
  { name: "twice as fast", pace: { speed: 2, idleLimit: 60 }, times: [250, 5_250, 5_500] },
  { name: "without long waits", pace: { speed: 1, idleLimit: 2 }, times: [500, 2_600, 3_100] },
])("a recording plays $name, and shows what may be shown", async ({ pace, times }) => {
  const { screen, shown, clock } = aScreen();
  await replay(pieces(), pace, { screen, clock });
  const last = shown.pop();
  expect(shown.map(([atMs]) => Math.round(atMs))).toEqual([...times]);
  expect(shown.map(([, text]) => text)).toEqual(["a", "b", "c\ufffd"]);
  // The terminal is put back.
  expect(last?.[1]).toContain("\u001b[0m");
});

test("it ends when the person wants no more", async () => {
  const { screen, shown, clock } = aScreen(1);
  await replay(pieces(), { speed: 1, idleLimit: 60 }, { screen, clock });
  expect(shown.map(([, text]) => text)).toEqual(["a", expect.stringContaining("\u001b[0m")]);
});

test("what was shown is written as text for a terminal, or as its very bytes", async () => {
  const written = async (isRaw: boolean) => {
    const parts: Uint8Array[] = [];
    for await (const part of shownOf(pieces(), { isRaw })) parts.push(part);
    return Buffer.concat(parts).toString("latin1");
  };
  expect(await written(true)).toBe("a\u001b]0;x\u0007bc\u00ff");
  expect(Buffer.from(await written(false), "latin1").toString()).toBe("abc\ufffd");
});
