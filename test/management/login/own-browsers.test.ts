/** A person's browsers: what goes when another comes. */
import { expect, test } from "bun:test";
import type { PeerRow } from "../../../src/management/db/tables/peers.ts";
import { BROWSERS_MAX, browsersToRetire } from "../../../src/management/login/own-browsers.ts";

const NOW = 1_800_000_000;
const DAY = 86_400;
const aDevice = (id: string, unusedDays: number | null, os = "browser"): PeerRow =>
  ({
    ...{ id, facts: { os }, lastSeenAt: unusedDays === null ? null : NOW - unusedDays * DAY },
  }) as unknown as PeerRow;
const retired = (devices: readonly PeerRow[]): string[] => browsersToRetire(devices, NOW).map(({ id }) => id);

test("one that was not used for 30 days goes, and other kinds of device stay", () => {
  const devices = [
    aDevice("old", 31),
    aDevice("new", 29),
    aDevice("never", null),
    aDevice("laptop", 400, "linux"),
  ];
  expect(retired(devices)).toEqual(["old", "never"]);
});

test("with ten the one that was unused for longest goes; with nine none", () => {
  const many = Array.from({ length: BROWSERS_MAX }, (_, index) => aDevice(`b${index}`, index));
  expect(retired(many)).toEqual(["b9"]);
  expect(retired(many.slice(0, -1))).toEqual([]);
});

test("many devices of other kinds take no browser's place", () => {
  const laptops = Array.from({ length: 20 }, (_, index) => aDevice(`l${index}`, 0, "linux"));
  expect(retired([...laptops, aDevice("only", 1)])).toEqual([]);
});
