import { beforeEach, expect, test } from "bun:test";
import { createMapCache, type MapCache } from "../../../src/management/maps/map-cache.ts";
import { aMap } from "../../support/policy.ts";

const at = (version: number, epoch = 1) => aMap({ change: { version, epoch } });
let dropped: string[];
let cache: MapCache;
beforeEach(() => {
  dropped = [];
  cache = createMapCache((peerId) => dropped.push(peerId));
});

test("a map is returned as the object that was put, and an equal one in its place is not taken", () => {
  const map = at(1);
  expect(cache.put("a", map)).toBe(map);
  expect(cache.put("a", at(1))).toBe(map);
  const next = at(2);
  expect(cache.put("a", next)).toBe(next);
  const epoch = at(2, 2);
  expect(cache.put("a", epoch)).toBe(epoch);
  expect(cache.get("a")).toBe(epoch);
});

test("a thousand maps that nobody watches are kept, the oldest goes first and is told", () => {
  for (let i = 0; i < 1_000; i++) cache.put(`p${i}`, at(1));
  cache.put("p0", at(2)); // The latest again.
  cache.put("one-more", at(1));
  expect(dropped).toEqual(["p1"]);
  expect(cache.get("p1")).toBeUndefined();
  expect(cache.get("p0")).toBeDefined();
});

test("a map that is watched stays, and is the youngest once it is not", () => {
  cache.pin("watched");
  cache.put("watched", at(1));
  for (let i = 0; i < 1_000; i++) cache.put(`p${i}`, at(1));
  expect(dropped).toEqual([]);
  cache.unpin("watched");
  expect(dropped).toEqual(["p0"]);
  expect(cache.get("watched")).toBeDefined();
});

test("a peer that is watched without a map, or twice, takes no room", () => {
  cache.pin("a");
  cache.unpin("a");
  cache.unpin("a");
  for (let i = 0; i < 1_000; i++) cache.put(`p${i}`, at(1));
  expect(dropped).toEqual([]);
});

test("what is deleted or cleared is gone, and not told of", () => {
  cache.put("a", at(1));
  cache.put("b", at(1));
  cache.delete("a");
  cache.clear();
  expect([cache.get("a"), cache.get("b"), dropped.length]).toEqual([undefined, undefined, 0]);
});
