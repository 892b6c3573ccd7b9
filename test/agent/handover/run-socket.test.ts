import { afterEach, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { closeOpened, DRAIN, dialRunSocket, EVENT, serveRunSocket } from "../../support/run-socket.ts";

afterEach(closeOpened);

test("lies where nobody else may come in", async () => {
  const { path } = await serveRunSocket();
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
});

test("no predecessor is served by an agent that has handed over itself", async () => {
  const { path, predecessors } = await serveRunSocket({ hasHandedOver: true });
  const one = await dialRunSocket(path);
  const closed = new Promise((resolve) => one.socket.once("close", resolve));
  one.say(DRAIN);
  await closed;
  expect(predecessors.pids).toEqual([]);
});

test.each([
  ["what is no JSON", "no"],
  ["what nobody knows", { do: "everything" }],
  ["evidence before it has said that it is one", { do: "record", id: 1, body: EVENT }],
])("is closed by %s", async (_, said) => {
  const { path, stored } = await serveRunSocket();
  const one = await dialRunSocket(path);
  const closed = new Promise((resolve) => one.socket.once("close", resolve));
  one.say(said);
  await closed;
  expect(stored).toEqual([]);
});
