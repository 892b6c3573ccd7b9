/** What a machine makes of each word of management about its map; the map itself is a real one. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createMapHolder, type MapHolder } from "../../../src/agent/control-link/map-holder.ts";
import { createMapIntake, type MapIntake, OLDER_MAP } from "../../../src/agent/control-link/map-intake.ts";
import { statePaths } from "../../../src/agent/state/state.ts";
import { silentLog } from "../../../src/base/log.ts";
import { diffMaps } from "../../../src/policy/maps/map-delta.ts";
import type { AgentMessage } from "../../../src/wire/agent-sync.ts";
import { digestOfMap } from "../../../src/wire/map-digest.ts";
import { outlineFor, sectionsOf } from "../../../src/wire/map-outline.ts";
import type { NetworkMap } from "../../../src/wire/network-map.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { aMap, anId, aUser } from "../../support/policy.ts";
import { tempFolder } from "../../support/temp-folder.ts";

let clock: FakeClock;
let maps: MapHolder;
let intake: MapIntake;
let sent: AgentMessage[];
beforeEach(() => {
  const paths = statePaths(join(tempFolder(), "state"));
  mkdirSync(paths.directory);
  clock = new FakeClock();
  const enrolled = { accountId: anId("account"), origin: "https://qf.example.com", peerId: anId("web1") };
  const last = { stored: undefined, confirmation: undefined, damage: null };
  maps = createMapHolder({ paths, clock, log: silentLog, enrolled, last });
  sent = [];
  intake = createMapIntake({ maps, log: silentLog, send: (message) => void sent.push(message) });
});
afterEach(() => maps.flush());

const version = (number: number, change: Partial<NetworkMap> = {}): NetworkMap =>
  aMap({ change: { version: number, ...change } });
const later = version(6, { users: { [anId("alice")]: aUser("alice", ["devs"]) } });
const isOurs = () => true;
const types = (): string[] => sent.splice(0).map(({ type }) => type);

/** The delta from version 5 to 6, with the digest that management says. */
function delta(digest = digestOfMap(later)) {
  const change = diffMaps(version(5), later);
  if (change === null) throw new Error("there is a difference");
  return { type: "delta" as const, delta: change, digest };
}

/** Seconds of age after a heartbeat that comes ten seconds later. */
function ageAfterBeat(): number {
  clock.advanceMs(10_000);
  intake.confirm();
  return maps.ageSeconds();
}

describe("a whole map", () => {
  test("takes effect, is acknowledged, and then confirmed by each heartbeat", async () => {
    expect(await intake.take({ type: "map", map: version(5) }, isOurs)).toEqual({
      how: "whole",
      error: null,
    });
    expect(sent).toEqual([{ type: "ack", version: 5 }]);
    expect(ageAfterBeat()).toBe(0);
  });

  test("that is older is refused and said to be, and the one in effect is confirmed no more", async () => {
    await intake.take({ type: "map", map: version(5) }, isOurs);
    sent = [];
    const taken = await intake.take({ type: "map", map: version(4) }, isOurs);
    expect(taken).toEqual({ how: "whole", error: OLDER_MAP });
    expect(maps.position().version).toBe(5);
    expect(types()).toEqual([]);
    expect(ageAfterBeat()).toBe(10);
  });

  test("of a link that has ended meanwhile begins nothing", async () => {
    expect(await intake.take({ type: "map", map: version(5) }, () => false)).toBeNull();
    expect(types()).toEqual([]);
    expect(ageAfterBeat()).toBe(10);
  });

  test("that cannot be read leaves the old one in effect, and unconfirmed", async () => {
    await intake.take({ type: "map", map: version(5) }, isOurs);
    expect(intake.refuseUnread(new Error("an unknown restriction"))).toContain("update qf");
    expect(maps.position().version).toBe(5);
    expect(ageAfterBeat()).toBe(10);
  });
});

describe("a delta", () => {
  test("that follows takes effect and is acknowledged", async () => {
    await intake.take({ type: "map", map: version(5) }, isOurs);
    sent = [];
    expect(await intake.take(delta(), isOurs)).toEqual({ how: "delta", error: null });
    expect(sent).toEqual([{ type: "ack", version: 6 }]);
    expect(ageAfterBeat()).toBe(0);
  });

  test("to another map than management means asks for the whole, once, and confirms nothing", async () => {
    await intake.take({ type: "map", map: version(5) }, isOurs);
    sent = [];
    const wrong = delta(digestOfMap(version(7)));
    expect(await intake.take(wrong, isOurs)).toBeNull();
    expect(await intake.take(wrong, isOurs)).toBeNull();
    expect(types()).toEqual(["need_map"]);
    expect(maps.position().version).toBe(5);
    expect(ageAfterBeat()).toBe(10);
    await intake.take({ type: "map", map: version(5) }, isOurs);
    await intake.take(wrong, isOurs);
    expect(types()).toEqual(["ack", "need_map"]);
  });

  test("of a link that has ended meanwhile says nothing to the next", async () => {
    await intake.take({ type: "map", map: version(5) }, isOurs);
    sent = [];
    expect(await intake.take(delta(), () => false)).toBeNull();
    expect(await intake.take(delta(digestOfMap(version(7))), () => false)).toBeNull();
    expect(types()).toEqual([]);
  });
});

describe("the word that ours is current", () => {
  test("confirms it", async () => {
    await maps.replace(version(5));
    clock.advanceMs(100_000);
    expect(await intake.take({ type: "current", version: 5 }, isOurs)).toEqual({
      how: "current",
      error: null,
    });
    expect(maps.ageSeconds()).toBe(0);
    expect(ageAfterBeat()).toBe(0);
  });

  test("about another version asks for the whole and confirms nothing", async () => {
    await maps.replace(version(5));
    clock.advanceMs(100_000);
    expect(await intake.take({ type: "current", version: 6 }, isOurs)).toBeNull();
    expect(types()).toEqual(["need_map"]);
    expect(maps.ageSeconds()).toBe(100);
  });
});

describe("an outline", () => {
  const outline = () => {
    const made = outlineFor(sectionsOf(version(5)), later);
    if (made === null) throw new Error("another account");
    return { type: "outline" as const, outline: made };
  };

  test("is answered with what is different", async () => {
    await maps.replace(version(5));
    expect(await intake.take(outline(), isOurs)).toBeNull();
    expect(types()).toEqual(["differences"]);
  });

  test("is answered with nothing where there is no map", async () => {
    expect(await intake.take(outline(), isOurs)).toBeNull();
    expect(types()).toEqual(["need_map"]);
  });
});

test("a heartbeat of a new link confirms nothing before management has said so", async () => {
  await intake.take({ type: "map", map: version(5) }, isOurs);
  intake.reset();
  expect(ageAfterBeat()).toBe(10);
  await intake.take({ type: "current", version: 5 }, isOurs);
  expect(ageAfterBeat()).toBe(0);
});

test("a heartbeat without a map confirms nothing", () => {
  intake.confirm();
  expect(maps.ageSeconds()).toBe(Number.POSITIVE_INFINITY);
});
