import { beforeEach, expect, test } from "bun:test";
import { newId } from "../../../../src/base/random.ts";
import {
  closeSshSession,
  deleteSshSessionsBefore,
  findSshSessions,
  insertSshSession,
  listSshSessions,
} from "../../../../src/management/db/tables/ssh-sessions.ts";
import type { AgentEventBody } from "../../../../src/wire/audit-event.ts";
import { aManagement, anAccount, type TestManagement } from "../../../support/management.ts";

let management: TestManagement;
let accountId: string;
const peerId = newId();
beforeEach(async () => {
  management = aManagement();
  ({ accountId } = await anAccount(management.store));
});

const openingOf = (connectionId: string, localUser = "web") => ({
  ...({ type: "connection.open", connectionId, userId: null, devicePeerId: null, localUser } as const),
  ...({ path: "relay", sourceAddress: "::1", clientVersion: "x", certificateSerial: null } as const),
  ruleId: null,
});

async function begin(openedAtMs: number, localUser?: string, connectionId = newId()): Promise<string> {
  const seen = { peerId, accountId, userName: "", machineName: "web1", openedAtMs };
  await management.store.transaction((tx) => insertSshSession(tx, openingOf(connectionId, localUser), seen));
  return connectionId;
}

function end(connectionId: string, closedAtMs: number, at = peerId): Promise<void> {
  const closing: Extract<AgentEventBody, { type: "connection.close" }> = {
    ...{ type: "connection.close", connectionId, reason: null, bytesIn: 1, bytesOut: 2, durationMs: 3 },
  };
  return management.store.transaction((tx) => closeSshSession(tx, closing, { peerId: at, closedAtMs }));
}

const all = () =>
  management.store.read((tx) => listSshSessions(tx, accountId, {}, { limit: 100, after: null }));

test("the first opening and the first end of a connection count, and only its own machine ends it", async () => {
  const id = await begin(1_000);
  await begin(2_000, "root", id);
  await end(id, 3_000, newId());
  expect(await all()).toMatchObject([{ localUser: "web", openedAtMs: 1_000, closedAtMs: null }]);
  await end(id, 3_000);
  await end(id, 4_000);
  expect(await all()).toMatchObject([{ closedAtMs: 3_000, bytesIn: 1, bytesOut: 2 }]);
});

test("very many are found by their ids, of this account only", async () => {
  const id = await begin(1_000);
  const ids = [...Array.from({ length: 1_200 }, () => newId()), id];
  const find = (of: string) => management.store.read((tx) => findSshSessions(tx, of, ids));
  expect(await find(accountId)).toHaveLength(1);
  expect(await find((await anAccount(management.store, "else@example.com")).accountId)).toEqual([]);
});

test("those of which all happened before then are forgotten", async () => {
  const [old, across, openEnded] = [await begin(1_000), await begin(1_000), await begin(1_000)];
  const young = await begin(6_000);
  await end(old, 2_000);
  await end(across, 6_000);
  await management.store.transaction((tx) => deleteSshSessionsBefore(tx, accountId, 5_000));
  const left = (await all()).map(({ connectionId }) => connectionId);
  expect(new Set(left)).toEqual(new Set([young, across]));
  expect(left).not.toContain(openEnded);
});
