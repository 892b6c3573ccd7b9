import { expect, test } from "bun:test";
import { createCatchUp, isAhead, isMapAt, type Position } from "../../../src/management/sync/catch-up.ts";
import { createKeyedSemaphore } from "../../../src/management/sync/keyed-semaphore.ts";
import type { ManagementMessage } from "../../../src/wire/agent-sync.ts";
import { digestOfMap } from "../../../src/wire/map-digest.ts";
import { differencesFrom, sectionsOf } from "../../../src/wire/map-outline.ts";
import type { NetworkMap } from "../../../src/wire/network-map.ts";
import { aMap, aUser } from "../../support/policy.ts";
import { until } from "../../support/until.ts";

const map = (version: number, change: Partial<NetworkMap> = {}): NetworkMap =>
  aMap({ users: [aUser("ann", ["devs"])], change: { version, ...change } });
const position = (of: NetworkMap): Position => ({
  epoch: of.epoch,
  version: of.version,
  digest: digestOfMap(of),
  sections: sectionsOf(of),
});

function asking(of: Position, inMax = 1) {
  const sent: ManagementMessage[] = [];
  const catchUp = createCatchUp({
    peerId: "p",
    position: of,
    asking: createKeyedSemaphore({ inMax, waitingMax: 0, waitMsMax: 1 }),
    send: (message) => void sent.push(message),
    onAsked: () => {},
  });
  return { sent, catchUp };
}

test("an agent whose map differs is asked, and its answer is what it lacks", async () => {
  const old = map(3, { users: {} });
  const { sent, catchUp } = asking(position(old), 2);
  const asked = catchUp.ask(map(5));
  await until("the question", () => sent.length > 0);
  const [message] = sent;
  if (message?.type !== "outline") throw new Error("no outline was sent");
  const differences = differencesFrom(old, message.outline);
  catchUp.answer(differences);
  expect(await asked).toEqual({
    held: { version: 3, sections: sectionsOf(old) },
    differences: differences ?? {},
  });
});

test("an agent whose map has the same content is not asked", async () => {
  const { sent, catchUp } = asking(position(map(3)));
  expect((await catchUp.ask(map(5)))?.differences).toEqual({});
  expect(sent).toEqual([]);
});

test.each<[string, Position]>([
  ["no map", { epoch: 0, version: 0 }],
  ["no sections", { ...position(map(3)), sections: undefined }],
  ["a newer map", position(map(6))],
  ["the same version", position(map(5))],
  ["another epoch", position(map(3, { epoch: 2 }))],
  ["a map that we know to be another's", { ...position(map(3)), isForeign: true }],
])("an agent with %s gets the whole map", async (_, of) => {
  const { sent, catchUp } = asking(of);
  expect(await catchUp.ask(map(5))).toBeNull();
  expect(sent).toEqual([]);
});

test("an agent that wants the whole map, or is gone, is not waited for", async () => {
  const { sent, catchUp } = asking(position(map(3, { users: {} })), 2);
  const asked = catchUp.ask(map(5));
  await until("the question", () => sent.length > 0);
  catchUp.answer(null);
  expect(await asked).toBeNull();
});

test("without room to ask, the whole map is sent", async () => {
  const { catchUp } = asking(position(map(3, { users: {} })), 0);
  expect(await catchUp.ask(map(5))).toBeNull();
});

test("a map is at its position by epoch, version and content", () => {
  const now = map(5);
  expect(isMapAt(now, position(now))).toBe(true);
  for (const other of [map(6), map(5, { epoch: 2 }), map(5, { users: {} })]) {
    expect(isMapAt(now, position(other))).toBe(false);
  }
});

test.each([
  [{ epoch: 1, version: 6 }, true],
  [{ epoch: 2, version: 1 }, true],
  [{ epoch: 1, version: 5 }, false],
  [{ epoch: 0, version: 9 }, false],
])("an agent at %j is ahead of epoch 1, version 5: %p", (of, wanted) => {
  expect(isAhead(of, map(5))).toBe(wanted);
});
