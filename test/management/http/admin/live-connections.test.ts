import { expect, test } from "bun:test";
import { connectionKey, liveConnections } from "../../../../src/management/http/admin/live-connections.ts";
import type { LiveSession } from "../../../../src/wire/agent-sync.ts";

const session = (connectionId: string, command: string, userId = "ada"): LiveSession => ({
  ...{ connectionId, command, userId, localUser: "web", user: "Ada", peer: "", forwards: [] },
  startedAtSeconds: 1,
});

test("entries of one connection are one, with all that runs in it", () => {
  const sessions = ["ls", "<sftp>"].map((command) => ({ peerId: "m1", session: session("c1", command) }));
  expect([...liveConnections(sessions).values()]).toMatchObject([
    { connectionId: "c1", running: ["ls", "<sftp>"], path: null, openedAtMs: 1000 },
  ]);
});

test("one id on two machines is two connections", () => {
  const found = liveConnections([
    { peerId: "m1", session: session("c1", "ls") },
    { peerId: "m2", session: session("c1", "ls", "mallory") },
  ]);
  expect(found.get(connectionKey({ peerId: "m1", connectionId: "c1" }))?.userId).toBe("ada");
  expect(found.get(connectionKey({ peerId: "m2", connectionId: "c1" }))?.userId).toBe("mallory");
});
