import { expect, test } from "bun:test";
import type { MapEncoder } from "../../../src/management/maps/encode.ts";
import type { Position } from "../../../src/management/sync/catch-up.ts";
import { createKeyedSemaphore } from "../../../src/management/sync/keyed-semaphore.ts";
import { createLink, type LinkOptions } from "../../../src/management/sync/link.ts";
import { digestOfMap } from "../../../src/wire/map-digest.ts";
import { sectionsOf } from "../../../src/wire/map-outline.ts";
import type { NetworkMap } from "../../../src/wire/network-map.ts";
import { aMap } from "../../support/policy.ts";
import { until } from "../../support/until.ts";

const encoder: MapEncoder = {
  map: (map) => JSON.stringify({ type: "map", version: map.version }),
  delta: (before, after) => JSON.stringify({ type: "delta", from: before.version, to: after.version }),
  deltaFrom: (held, _, after) => JSON.stringify({ type: "catch-up", from: held.version, to: after.version }),
};
const NOTHING: Position = { epoch: 0, version: 0 };
const at = (version: number, epoch = 1): NetworkMap => aMap({ change: { version, epoch } });
const held = (map: NetworkMap): Position => ({
  epoch: map.epoch,
  version: map.version,
  digest: digestOfMap(map),
  sections: sectionsOf(map),
});

function aLink(change: Partial<LinkOptions> = {}) {
  const state = { map: at(5) as NetworkMap | undefined, sent: [] as Record<string, unknown>[], unread: 0 };
  const heard = { first: 0, ahead: 0, failures: [] as unknown[], closes: 0, asked: [] as boolean[] };
  const socket = {
    send: (text: string) => {
      state.sent.push(JSON.parse(text));
      return text.length;
    },
    getBufferedAmount: () => state.unread,
    close: () => {
      heard.closes += 1;
    },
  } as unknown as LinkOptions["socket"];
  const semaphore = () => createKeyedSemaphore({ inMax: 10, waitingMax: 10, waitMsMax: 1_000 });
  const link = createLink({
    socket,
    accountId: "a",
    peerId: "p",
    name: "web1",
    bootId: "b",
    position: NOTHING,
    encoder,
    wholeMaps: semaphore(),
    asking: semaphore(),
    retryAfterMs: () => 7,
    mapOf: async (isFirst) => {
      heard.asked.push(isFirst);
      return state.map;
    },
    onAhead: () => {
      heard.ahead += 1;
    },
    onFirst: () => {
      heard.first += 1;
    },
    onFailure: (cause) => heard.failures.push(cause),
    ...change,
  });
  const types = (): unknown[] => state.sent.map(({ type }) => type);
  return { link, state, heard, types };
}

test("an agent without a map gets the whole one, then deltas, and nothing that it has already", async () => {
  const { link, state, heard, types } = aLink();
  link.refresh();
  await until("the map", () => types().length === 1);
  expect(heard).toMatchObject({ first: 1, asked: [true] });
  link.acknowledge(5);
  state.map = at(6);
  link.refresh();
  await until("the delta", () => types().length === 2);
  link.refresh();
  await until("the third look", () => heard.asked.length === 3);
  expect(state.sent).toEqual([
    { type: "map", version: 5 },
    { type: "delta", from: 5, to: 6 },
  ]);
  expect(heard.asked).toEqual([true, false, false]);
  expect(link.ackedVersion).toBe(5);
});

test("an agent that has the map hears that it is current", async () => {
  const { link, state } = aLink({ position: held(at(5)) });
  link.refresh();
  await until("the word", () => state.sent.length === 1);
  expect(state.sent).toEqual([{ type: "current", version: 5 }]);
});

test("an agent with an older map of the same content is sent what leads to this one", async () => {
  const { link, types } = aLink({ position: held(at(3)) });
  link.refresh();
  await until("the delta", () => types().length === 1);
  expect(types()).toEqual(["catch-up"]);
});

test("an agent that asks for the whole map gets it, whatever it has", async () => {
  const { link, types } = aLink({ position: held(at(5)) });
  link.needWhole();
  await until("the map", () => types().length === 1);
  expect(types()).toEqual(["map"]);
});

test("an agent with a newer map than there is, is told of and gets ours", async () => {
  const { link, heard, types } = aLink({ position: { epoch: 2, version: 1 } });
  link.refresh();
  await until("the map", () => types().length === 1);
  expect({ ahead: heard.ahead, types: types() }).toEqual({ ahead: 1, types: ["map"] });
});

test("a new epoch is a whole map again", async () => {
  const { link, state, types } = aLink();
  link.refresh();
  await until("the map", () => types().length === 1);
  state.map = at(1, 2);
  link.refresh();
  await until("the next map", () => types().length === 2);
  expect(types()).toEqual(["map", "map"]);
});

test("a machine that is no longer there is told not to come back", async () => {
  const { link, state, heard } = aLink();
  state.map = undefined;
  link.refresh();
  await until("the end", () => heard.closes === 1);
  expect(state.sent).toMatchObject([{ type: "bye", code: "peer_unknown", retry: false }]);
});

test("a map that cannot be made ends the link, and the agent may come back", async () => {
  const { link, state, heard } = aLink({ mapOf: () => Promise.reject(new Error("the disk")) });
  link.refresh();
  await until("the end", () => heard.closes === 1);
  expect(heard.failures).toHaveLength(1);
  expect(state.sent).toMatchObject([{ type: "bye", code: "unavailable", retry: true }]);
});

test("without room for a whole map the agent is told when to come back", async () => {
  const full = createKeyedSemaphore({ inMax: 0, waitingMax: 0, waitMsMax: 1 });
  const { link, state, heard } = aLink({ wholeMaps: full });
  link.refresh();
  await until("the end", () => heard.closes === 1);
  expect(state.sent).toMatchObject([{ type: "bye", code: "busy", retry: true, retryAfterMs: 7 }]);
});

test("a slow agent is sent no map until it has caught up, and then the latest", async () => {
  const { link, state, heard, types } = aLink();
  state.unread = 2 * 1024 * 1024;
  link.refresh();
  await until("the map", () => types().length === 1);
  for (const version of [6, 7]) {
    state.map = at(version);
    link.refresh();
  }
  expect(heard.asked).toHaveLength(1);
  state.unread = 0;
  link.drained();
  await until("the delta", () => types().length === 2);
  expect(state.sent[1]).toEqual({ type: "delta", from: 5, to: 7 });
});

test("a closed link sends nothing, and closes once", async () => {
  const { link, state, heard } = aLink();
  link.close();
  link.close();
  link.refresh();
  link.send({ type: "current", version: 1 });
  await Promise.resolve();
  expect({ sent: state.sent, closes: heard.closes, asked: heard.asked }).toEqual({
    sent: [],
    closes: 1,
    asked: [],
  });
});
