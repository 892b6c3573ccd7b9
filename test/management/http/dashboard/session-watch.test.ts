/** Following a recorded session: who may, what they are sent, and when it ends. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Server } from "bun";
import { isQfError } from "../../../../src/base/errors.ts";
import { sha256 } from "../../../../src/base/random.ts";
import { updateUser } from "../../../../src/management/db/tables/users.ts";
import { deleteWebSessionsOf } from "../../../../src/management/db/tables/web-sessions.ts";
import {
  createSessionWatch,
  type SessionWatch,
} from "../../../../src/management/http/dashboard/session-watch.ts";
import { createTerminalTickets } from "../../../../src/management/http/dashboard/terminal-tickets.ts";
import {
  createRecordings,
  type RunningRecordings,
} from "../../../../src/management/recordings/recordings.ts";
import { createFolderStore } from "../../../../src/management/recordings/store.ts";
import type { RecordingPage } from "../../../../src/wire/recording.ts";
import { WATCH_FORBIDDEN, WATCH_OVER, WATCH_PROTOCOL } from "../../../../src/wire/session-watch.ts";
import { TestApi } from "../../../support/admin-api.ts";
import { anAccount, aTokenOf, ORIGIN } from "../../../support/management.ts";
import { aRecordingMachine, RecordingMachine } from "../../../support/recording-upload.ts";
import { tempFolder } from "../../../support/temp-folder.ts";
import { until } from "../../../support/until.ts";
import { aSession, fromPage } from "../../../support/web-session.ts";

const masterKey = new Uint8Array(32);
const OVER = { end: { status: "complete", why: null } } as const;
let api: TestApi;
let machine: RecordingMachine;
let recordings: RunningRecordings;
let watch: SessionWatch;
let person: string;
let server: Server<unknown> | undefined;

beforeEach(async () => {
  const folder = tempFolder();
  api = await TestApi.open({}, folder);
  const { management, accountId } = api;
  machine = await aRecordingMachine(management, { accountId });
  recordings = createRecordings(management, { store: createFolderStore(folder) });
  await take(0, 2);
  person = await aTokenOf(management.store, { id: machine.head.userId ?? "", accountId });
  watch = createSessionWatch({ ctx: management, recordings, masterKey });
});
afterEach(async () => {
  watch.close();
  recordings.close();
  await server?.stop(true);
  server = undefined;
});

async function take(...chunks: Parameters<RecordingMachine["upload"]>): Promise<void> {
  const { body, signature } = machine.upload(...chunks);
  expect((await recordings.take(body, signature)).refusal).toBeUndefined();
}

const pathOf = (id: string) => `/api/sessions/${id}/watch`;
const lines = (...numbers: number[]) => numbers.map((n) => RecordingMachine.lines(n).toString()).join("");

/** Status of the answer, and the failure's code; 101 for a WebSocket. */
async function asked(
  headers: Record<string, string>,
  id = machine.head.connectionId,
  isUpgraded = true,
): Promise<number | string> {
  const request = new Request(`${ORIGIN}${pathOf(id)}`, { headers: { upgrade: "websocket", ...headers } });
  const upgrades = { upgrade: () => isUpgraded } as unknown as Server<unknown>;
  try {
    return (await watch.answer(request, upgrades))?.status ?? 101;
  } catch (cause) {
    return isQfError(cause) ? cause.code : String(cause);
  }
}

const byToken = (token: string) => ({ authorization: `Token ${token}` });

/** A page's headers with a ticket of its own, or with `ticket`. */
async function byPage(secret: string, ticket?: string): Promise<Record<string, string>> {
  const given = ticket ?? (await ticketFor(secret));
  return {
    origin: ORIGIN,
    cookie: `__Host-qf_session=${secret}`,
    "sec-websocket-protocol": `${WATCH_PROTOCOL}, ticket.${given}`,
  };
}

async function ticketFor(secret: string, id = machine.head.connectionId): Promise<string> {
  const request = new Request(`${ORIGIN}${pathOf(id)}`, { method: "POST", ...fromPage(secret) });
  const answer = await watch.answer(request, {} as Server<unknown>);
  const { ticket } = (await (answer ?? new Response("{}")).json()) as { ticket: string };
  return ticket;
}

/** A real WebSocket that watches. */
function watcher(headers: Record<string, string>, asks = true) {
  server ??= Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request: Request, self: Server<unknown>) => watch.answer(request, self),
    websocket: watch.websocket,
  } as object as Parameters<typeof Bun.serve>[0]) as Server<unknown>;
  const url = `ws://127.0.0.1:${server.port}${pathOf(machine.head.connectionId)}`;
  const { "sec-websocket-protocol": protocols = "", ...rest } = headers;
  const offered = protocols === "" ? {} : { protocols: protocols.split(", ") };
  const socket = new WebSocket(url, { headers: rest, ...offered } as object as string[]);
  const seen = { text: "", closed: null as number | null };
  socket.addEventListener("message", ({ data }) => {
    const page = JSON.parse(String(data)) as RecordingPage;
    seen.text += page.chunks.map((chunk) => Buffer.from(chunk.data, "base64").toString()).join("");
    if (asks) socket.send("next");
  });
  socket.addEventListener("close", ({ code }) => {
    seen.closed = code;
  });
  return { socket, seen };
}

describe("a session is followed", () => {
  test("from its beginning to its end, and that it is comes first in the log", async () => {
    const before = (await api.activities()).length;
    const { seen } = watcher(byToken(person));
    await until("what was there", () => seen.text === lines(0, 1));
    expect((await api.activities()).slice(before)).toEqual(["recording.read"]);
    await take(2, 1);
    await until("what came", () => seen.text === lines(0, 1, 2));
    await take(3, 0, OVER);
    await until("its end", () => seen.closed === WATCH_OVER);
  });

  test("no faster than the watcher asks", async () => {
    const { seen, socket } = watcher(byToken(person), false);
    await until("what was there", () => seen.text === lines(0, 1));
    await take(2, 1);
    await take(3, 1);
    // A later watcher has it all by now.
    const other = watcher(byToken(person));
    await until("all of it elsewhere", () => other.seen.text === lines(0, 1, 2, 3));
    expect(seen.text).toBe(lines(0, 1));
    socket.send("more");
    await until("what came", () => seen.text === lines(0, 1, 2, 3));
  });

  test("by a page with its session and a ticket", async () => {
    const { secret } = await aSession(api, "auditor");
    const { seen } = watcher(await byPage(secret));
    await until("what was there", () => seen.text === lines(0, 1));
  });
});

describe("who watches", () => {
  test("a person their own, an auditor any, and another person nothing that they would learn of", async () => {
    const { token: auditor } = await api.tokenAs("auditor");
    const { token: stranger } = await api.tokenAs("user");
    expect(await asked(byToken(person))).toBe(101);
    expect(await asked(byToken(auditor))).toBe(101);
    expect(await asked(byToken(auditor), machine.recordingId)).toBe(101);
    const before = (await api.activities()).length;
    expect(await asked(byToken(stranger))).toBe("ERR_NOT_FOUND");
    expect(await asked(byToken(stranger), "x".repeat(20))).toBe("ERR_NOT_FOUND");
    expect(await asked({})).toBe("ERR_UNAUTHENTICATED");
    expect((await api.activities()).length).toBe(before);
  });

  test("an auditor of another account does not", async () => {
    const { accountId } = await anAccount(api.management.store, "else@example.com");
    const other = await aRecordingMachine(api.management, { accountId });
    const { body, signature } = other.upload(0, 1);
    await recordings.take(body, signature);
    const { token: auditor } = await api.tokenAs("auditor");
    expect(await asked(byToken(auditor), other.recordingId)).toBe("ERR_NOT_FOUND");
    expect(await asked(byToken(auditor), other.head.connectionId)).toBe("ERR_NOT_FOUND");
  });

  test("nobody one that is over, nor by plain HTTP", async () => {
    const request = new Request(`${ORIGIN}${pathOf(machine.recordingId)}`, { headers: byToken(person) });
    expect((await watch.answer(request, {} as Server<unknown>))?.status).toBe(426);
    await take(2, 0, OVER);
    expect(await asked(byToken(person))).toBe("ERR_CONFLICT");
  });

  test("a page only with a ticket of its session, for this session, once", async () => {
    const { secret, id: sessionId, user } = await aSession(api, "auditor");
    const other = await aSession(api, "auditor");
    const unauthenticated = "ERR_UNAUTHENTICATED";
    expect(await asked(await byPage(secret, "x".repeat(43)))).toBe(unauthenticated);
    expect(await asked(await byPage(other.secret, await ticketFor(secret)))).toBe(unauthenticated);
    const elsewhere = await ticketFor(secret, machine.recordingId);
    expect(await asked(await byPage(secret, elsewhere))).toBe(unauthenticated);
    const { store, clock } = api.management;
    const terminals = createTerminalTickets({ store, clock, masterKey });
    const helloHash = sha256(machine.head.connectionId);
    const forTerminal = terminals.issue({ sessionId, userId: user.id, helloHash });
    expect(await asked(await byPage(secret, forTerminal))).toBe(unauthenticated);
    const { "sec-websocket-protocol": _, ...without } = await byPage(secret);
    expect(await asked(without)).toBe(unauthenticated);
    expect(await asked({ ...(await byPage(secret)), origin: "https://evil.example" })).toBe(403);
    const headers = await byPage(secret);
    expect([await asked(headers), await asked(headers)]).toEqual([101, unauthenticated]);
  });

  test("sixteen at once of one person, however fast they come; who did not get in holds no place", async () => {
    const many = (count: number, isUpgraded = true) =>
      Promise.all(
        Array.from({ length: count }, () => asked(byToken(person), machine.head.connectionId, isUpgraded)),
      );
    for (let i = 0; i < 2; i++) expect(new Set(await many(16, false))).toEqual(new Set([400]));
    const answers = await many(18);
    expect(answers.filter((one) => one === 101)).toHaveLength(16);
    expect(answers.filter((one) => one === "ERR_TOO_MANY")).toHaveLength(2);
    const { token: auditor } = await api.tokenAs("auditor");
    expect(await asked(byToken(auditor))).toBe(101);
  });

  test("a page gets no ticket for what it may not see", async () => {
    const { secret } = await aSession(api, "user");
    expect(ticketFor(secret)).rejects.toMatchObject({ code: "ERR_NOT_FOUND" });
    const request = new Request(`${ORIGIN}${pathOf(machine.recordingId)}`, {
      method: "POST",
      headers: byToken(person),
    });
    expect(watch.answer(request, {} as Server<unknown>)).rejects.toMatchObject({ code: "ERR_FORBIDDEN" });
  });
});

describe("it ends while nothing is shown", () => {
  test("when the role that sees it is gone", async () => {
    const { token, id } = await api.tokenAs("auditor");
    const { seen } = watcher(byToken(token));
    await until("it is open", () => seen.text !== "");
    const { store } = api.management;
    await store.transaction((tx) => updateUser(tx, api.accountId, id, { role: "user" }));
    await until("it is closed", () => seen.closed === WATCH_FORBIDDEN);
  });

  test("when the session of the page is", async () => {
    const { secret, user } = await aSession(api, "auditor");
    const { seen } = watcher(await byPage(secret));
    await until("it is open", () => seen.text !== "");
    await api.management.store.transaction((tx) => deleteWebSessionsOf(tx, user.id));
    await until("it is closed", () => seen.closed === WATCH_FORBIDDEN);
  });

  test("when the token has run out", async () => {
    const { seen } = watcher(byToken(person));
    await until("it is open", () => seen.text !== "");
    api.management.clock.advanceMs(86_401_000);
    await until("it is closed", () => seen.closed === WATCH_FORBIDDEN);
  });
});
