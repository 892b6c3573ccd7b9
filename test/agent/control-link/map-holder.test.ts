import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { backoffMs, firstWaitMs } from "../../../src/agent/control-link/backoff.ts";
import { createMapHolder, type MapHolder, staleness } from "../../../src/agent/control-link/map-holder.ts";
import {
  readLastMap,
  type StatePaths,
  statePaths,
  writeConfirmation,
  writeMap,
} from "../../../src/agent/state/state.ts";
import { silentLog } from "../../../src/base/log.ts";
import { diffMaps } from "../../../src/policy/maps/map-delta.ts";
import { digestOfMap } from "../../../src/wire/map-digest.ts";
import type { NetworkMap } from "../../../src/wire/network-map.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { aMap, anId } from "../../support/policy.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

let paths: StatePaths;
let clock: FakeClock;
const holders: MapHolder[] = [];
beforeEach(() => {
  paths = statePaths(join(tempFolder(), "state"));
  mkdirSync(paths.directory);
  clock = new FakeClock();
});
afterEach(async () => {
  for (const holder of holders.splice(0)) await holder.flush();
});

async function open(): Promise<MapHolder> {
  const enrolled = { accountId: anId("account"), origin: "https://qf.example.com", peerId: anId("web1") };
  const last = await readLastMap(paths);
  const holder = createMapHolder({ paths, clock, log: silentLog, enrolled, last });
  holders.push(holder);
  return holder;
}

function version(number: number, change: Partial<NetworkMap> = {}): NetworkMap {
  return aMap({ change: { version: number, ...change } });
}

describe("replace", () => {
  test.each([
    { name: "a newer version", change: { version: 6 }, want: null },
    { name: "the same version", change: { version: 5 }, want: null },
    { name: "an older version", change: { version: 4 }, want: "older_version" },
    { name: "an older version of a newer epoch", change: { version: 1, epoch: 3 }, want: null },
    { name: "an older epoch", change: { version: 9, epoch: 1 }, want: "older_epoch" },
    { name: "a newer protocol", change: { version: 6, protocolVersion: 2 }, want: "newer_protocol" },
    { name: "another account", change: { version: 6, accountId: anId("other") }, want: "other_account" },
    {
      name: "another management",
      change: { version: 6, origin: "https://x.example" },
      want: "other_account",
    },
    {
      name: "another peer",
      change: { version: 6, self: { ...aMap({}).self, peerId: anId("web2") } },
      want: "other_peer",
    },
  ])("of version 5, epoch 2 by $name gives $want", async ({ change, want }) => {
    const holder = await open();
    await holder.replace(version(5, { epoch: 2 }));
    expect(await holder.replace(version(5, { epoch: 2, ...change }))).toBe(want as never);
    if (want !== null) expect(holder.position()).toEqual({ epoch: 2, version: 5 });
  });

  test("has the map on disk when it resolves", async () => {
    await (await open()).replace(version(5));
    expect((await open()).position()).toEqual({ epoch: 1, version: 5 });
  });

  test("refuses an older map than a lost one", async () => {
    await (await open()).replace(version(5));
    await Bun.file(paths.map).delete();
    const holder = await open();
    expect(holder.snapshot()).toBeNull();
    expect(await holder.replace(version(4))).toBe("older_version");
    expect(await holder.replace(version(5))).toBeNull();
  });
});

describe("apply", () => {
  test("applies what follows, and nothing else", async () => {
    const holder = await open();
    await holder.replace(version(5));
    const later = version(6, { settings: { ...version(5).settings, maxStaleSeconds: 60 } });
    const delta = diffMaps(version(5), later);
    if (delta === null) throw new Error("there is a difference");
    const digest = digestOfMap(later);
    expect(await holder.apply(delta, digestOfMap(version(5)))).toBe(false);
    expect(holder.snapshot()?.map).toEqual(version(5));
    expect(await holder.apply(delta, digest)).toBe(true);
    expect(await holder.apply(delta, digest)).toBe(false);
    expect(holder.snapshot()?.map).toEqual(later);
    expect((await open()).snapshot()?.map).toEqual(later);
  });

  test("has nothing to apply to without a map", async () => {
    expect(await (await open()).apply({ fromVersion: 1, toVersion: 2 }, digestOfMap(version(2)))).toBe(false);
  });

  test("takes no delta that makes another machine's map of it, whatever its digest", async () => {
    const holder = await open();
    await holder.replace(version(5));
    const self = { ...version(5).self, peerId: anId("web2") };
    const delta = { fromVersion: 5, toVersion: 6, self };
    expect(await holder.apply(delta, digestOfMap(version(6, { self })))).toBe(false);
    expect(holder.position().version).toBe(5);
  });
});

describe("ageSeconds", () => {
  test("is endless without a map", async () => {
    expect((await open()).ageSeconds()).toBe(Number.POSITIVE_INFINITY);
  });

  test("counts from the last confirmation", async () => {
    const holder = await open();
    await holder.replace(version(5));
    clock.advanceMs(10_000);
    expect(holder.ageSeconds()).toBe(10);
    holder.confirm();
    clock.advanceMs(3_000);
    expect(holder.ageSeconds()).toBe(3);
  });

  test("is not made smaller by a clock that is set back, and is made larger by one set forward", async () => {
    const holder = await open();
    await holder.replace(version(5));
    clock.advanceMs(10_000);
    clock.jumpWallMs(-3_600_000);
    expect(holder.ageSeconds()).toBe(10);
    clock.jumpWallMs(2 * 3_600_000);
    expect(holder.ageSeconds()).toBe(3_610);
  });

  test("goes on after a restart from what was confirmed before", async () => {
    const holder = await open();
    await holder.replace(version(5));
    for (let i = 0; i < 100; i++) {
      clock.advanceMs(5_000);
      holder.confirm();
    }
    await holder.flush();
    clock.advanceMs(20_000);
    expect((await open()).ageSeconds()).toBe(20);
  });

  test("is at most a minute too large after a crash", async () => {
    const holder = await open();
    await holder.replace(version(5));
    for (let i = 0; i < 100; i++) {
      clock.advanceMs(5_000);
      holder.confirm();
    }
    await until("what is written", async () => (await open()).ageSeconds() <= 60);
  });

  test("is endless after a restart with a clock that was set back far", async () => {
    await (await open()).replace(version(5));
    clock.jumpWallMs(-3_600_000);
    expect((await open()).ageSeconds()).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("waitForVersion", () => {
  test("resolves when the version is there", async () => {
    const holder = await open();
    await holder.replace(version(5));
    await holder.waitForVersion(5, 60_000);
    const waiting = holder.waitForVersion(6, 60_000);
    await holder.replace(version(6));
    await waiting;
  });

  test("gives up after the time", async () => {
    const holder = await open();
    await holder.waitForVersion(6, 20);
  });
});

describe("a map on disk", () => {
  const stored = (map: NetworkMap, confirmedAtSeconds = Math.floor(clock.nowMs() / 1000)) =>
    writeMap(paths, { format: 1, confirmedAtSeconds, map });

  test.each<[string, Partial<NetworkMap>]>([
    ["another account", { accountId: anId("other") }],
    ["another management", { origin: "https://x.example" }],
    ["another peer", { self: { ...aMap({}).self, peerId: anId("web2") } }],
    ["a newer protocol", { protocolVersion: 2 }],
  ])("of %s is not decided from", async (_name, change) => {
    await stored(version(5, change));
    const holder = await open();
    expect(holder.snapshot()).toBeNull();
    expect(staleness(holder)).toBe(2);
  });

  test("is not confirmed by what was said of another", async () => {
    const seconds = Math.floor(clock.nowMs() / 1000);
    await stored(version(6), seconds - 1_000);
    await writeConfirmation(paths, { format: 1, confirmedAtSeconds: seconds, epoch: 1, version: 5 });
    expect((await open()).ageSeconds()).toBe(1_000);
    await writeConfirmation(paths, { format: 1, confirmedAtSeconds: seconds - 10, epoch: 1, version: 6 });
    expect((await open()).ageSeconds()).toBe(10);
  });
});

test.each([
  [0, 0],
  [300, 0],
  [301, 1],
  [3_600, 1],
  [3_601, 2],
])("a map of %i seconds has staleness %i", async (seconds, want) => {
  const holder = await open();
  expect(staleness(holder)).toBe(2);
  await holder.replace(version(5));
  clock.advanceMs(seconds * 1_000);
  expect(staleness(holder)).toBe(want as 0);
});

test("no more than so many wait for a map at once; the rest goes on without", async () => {
  const holder = await open();
  const waiting = Array.from({ length: 4_096 }, () => holder.waitForVersion(5, 60_000));
  await holder.waitForVersion(5, 60_000);
  await holder.replace(version(5));
  await Promise.all(waiting);
});

test("clear forgets the map, here and on disk", async () => {
  const holder = await open();
  await holder.replace(version(5));
  let changes = 0;
  holder.onChange(() => {
    changes += 1;
  });
  await holder.clear();
  expect([holder.snapshot(), changes]).toEqual([null, 1]);
  expect((await open()).snapshot()).toBeNull();
});

test.each([
  { attempt: 0, random: 0, want: 200 },
  { attempt: 0, random: 0.999, want: 400 },
  { attempt: 3, random: 0.999, want: 3_197 },
  { attempt: 100, random: 0, want: 200 },
  { attempt: 100, random: 0.999, want: 29_970 },
])("backoffMs of attempt $attempt at $random is $want", ({ attempt, random, want }) => {
  expect(backoffMs(attempt, random)).toBe(want);
});

test.each([
  { spreadMs: 0, random: 0.5, want: 300 },
  { spreadMs: 10_000, random: 0, want: 200 },
  { spreadMs: 10_000, random: 0.999, want: 10_190 },
])("firstWaitMs over $spreadMs at $random is $want", ({ spreadMs, random, want }) => {
  expect(firstWaitMs(spreadMs, random)).toBe(want);
});
