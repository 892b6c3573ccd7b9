import { afterEach, expect, test } from "bun:test";
import { anId } from "../../support/policy.ts";
import { closeOpened, DRAIN, dialRunSocket, EVENT, serveRunSocket } from "../../support/run-socket.ts";
import { until } from "../../support/until.ts";

afterEach(closeOpened);

test("a predecessor's evidence is stored, its sessions are known, and orders reach it", async () => {
  const { path, predecessors, stored } = await serveRunSocket();
  const one = await dialRunSocket(path);
  one.say(DRAIN);
  one.say({ do: "record", id: 7, body: EVENT });
  const session = {
    connectionId: anId("connection"),
    localUser: "deploy",
    userId: null,
    user: "ada",
    peer: "",
  };
  const live = { ...session, command: "sleep", forwards: [], startedAtSeconds: 1 };
  one.say({ do: "sessions", sessions: [live] });
  await until("the answer", () => one.heard.some((answer) => answer.is === "recorded"));
  expect(one.heard).toContainEqual({ is: "recorded", id: 7, code: null });
  expect(stored).toEqual([EVENT]);
  await until("its sessions", () => predecessors.sessions().length === 1);
  expect(predecessors.pids).toEqual([4711]);
  expect(predecessors.kill(anId("another"), "")).toBe(false);
  expect(predecessors.kill(live.connectionId, "no longer")).toBe(true);
  await until("the order", () => one.heard.some((answer) => answer.is === "kill"));
  one.socket.destroy();
  await until("it is forgotten", () => predecessors.pids.length === 0);
});
