import { expect, test } from "bun:test";
import { createReplayCache } from "../../src/fabric/replay-cache.ts";

const NOW = 1_000;

test("a nonce is taken once, for as long as it is to be remembered", () => {
  const cache = createReplayCache();
  expect(cache.take("a", "n", NOW + 60, NOW)).toBe("fresh");
  expect(cache.take("a", "n", NOW + 60, NOW)).toBe("replayed");
  expect(cache.take("a", "n", NOW + 60, NOW + 60)).toBe("replayed");
});

test("nonces of two sources are no replays of each other", () => {
  const cache = createReplayCache();
  expect(cache.take("a", "n", NOW + 60, NOW)).toBe("fresh");
  expect(cache.take("b", "n", NOW + 60, NOW)).toBe("fresh");
});

test("what is over is forgotten, and gives its room back", () => {
  const cache = createReplayCache({ entriesMax: 2 });
  cache.take("a", "1", NOW + 1, NOW);
  cache.take("b", "2", NOW + 1, NOW);
  expect(cache.take("c", "3", NOW + 60, NOW)).toBe("full");
  expect(cache.take("c", "3", NOW + 60, NOW + 3)).toBe("fresh");
  expect(cache.size).toBe(1);
});

test("a full cache refuses new nonces and forgets none", () => {
  const cache = createReplayCache({ entriesMax: 1 });
  cache.take("a", "1", NOW + 60, NOW);
  expect(cache.take("b", "2", NOW + 60, NOW)).toBe("full");
  expect(cache.take("a", "1", NOW + 60, NOW)).toBe("replayed");
});

test("one source fills its own share only", () => {
  const cache = createReplayCache({ entriesMax: 10, perSourceMax: 2 });
  expect(["1", "2", "3"].map((nonce) => cache.take("a", nonce, NOW + 60, NOW))).toEqual([
    "fresh",
    "fresh",
    "full",
  ]);
  expect(cache.take("b", "1", NOW + 60, NOW)).toBe("fresh");
});

test("after the clock was set back, what was forgotten is not taken again", () => {
  const cache = createReplayCache();
  cache.take("a", "old", NOW + 10, NOW);
  expect(cache.take("a", "new", NOW + 100, NOW + 20)).toBe("fresh"); // Sweeps the old one.
  expect(cache.take("a", "old", NOW + 10, NOW)).toBe("replayed");
  expect(cache.take("b", "other", NOW + 10, NOW)).toBe("replayed");
  expect(cache.take("b", "later", NOW + 11, NOW)).toBe("fresh");
});
