/** The relay for pages: who gets a ticket, and which request a ticket makes a WebSocket of. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { Server } from "bun";
import { sha256 } from "../../../../src/base/random.ts";
import { deleteWebSessionsOf } from "../../../../src/management/db/tables/web-sessions.ts";
import { createTerminal, type Terminal } from "../../../../src/management/http/dashboard/terminal.ts";
import type { PageDial } from "../../../../src/management/relay/relay-hub.ts";
import { TERMINAL_PROTOCOL } from "../../../../src/wire/terminal-page.ts";
import { TestApi } from "../../../support/admin-api.ts";
import { ORIGIN } from "../../../support/management.ts";
import { aSession, fromPage, type TestSession } from "../../../support/web-session.ts";

const HELLO = "QUFABRIC/1 aGVsbG8 signature";
let api: TestApi;
let session: TestSession;
let terminal: Terminal;
let dialled: PageDial[];

beforeEach(async () => {
  api = await TestApi.open();
  session = await aSession(api, "user");
  dialled = [];
  terminal = createTerminal({
    ctx: api.management,
    masterKey: new Uint8Array(32),
    relay: {
      async dialFromPage(_request, _server, _address, page) {
        dialled.push(page);
        return undefined;
      },
    },
  });
});

const tickets = `${ORIGIN}/api/terminal/tickets`;

function ask(init: RequestInit = fromPage(session.secret)): Promise<Response> {
  return terminal.ticket(new Request(tickets, { method: "POST", body: sha256(HELLO), ...init }));
}

async function aTicket(): Promise<string> {
  return ((await (await ask()).json()) as { ticket: string }).ticket;
}

/** Status of the answer; 101 for a WebSocket. */
async function connect(
  change: { origin?: string; secret?: string; ticket?: string; hello?: string; protocols?: string[] } = {},
): Promise<number> {
  const { origin = ORIGIN, secret = session.secret, hello = HELLO } = change;
  const ticket = change.ticket ?? (await aTicket());
  const names = [`ticket.${ticket}`, `hello.${Buffer.from(hello).toString("base64url")}`, "proof.signature"];
  const headers = {
    ...(origin === "" ? {} : { origin }),
    cookie: `__Host-qf_session=${secret}`,
    "sec-websocket-protocol": (change.protocols ?? [TERMINAL_PROTOCOL, ...names]).join(", "),
  };
  const request = new Request(`${ORIGIN}/relay/terminal`, { headers });
  return (await terminal.connect(request, {} as Server<unknown>, "192.0.2.1"))?.status ?? 101;
}

test("a page of a session that lives gets a way to the relay", async () => {
  expect(await connect()).toBe(101);
  expect(dialled.map(({ claim, protocol }) => ({ ...claim, protocol }))).toEqual([
    { hello: HELLO, proof: "signature", protocol: TERMINAL_PROTOCOL },
  ]);
  expect(await dialled[0]?.session.isLive()).toBe(true);
  await api.management.store.transaction((tx) => deleteWebSessionsOf(tx, session.user.id));
  expect(dialled[0]?.session.isLive()).rejects.toThrow();
});

describe("no ticket is given", () => {
  test.each<[string, () => Promise<RequestInit>]>([
    [
      "to a request of another origin",
      async () => fromPage(session.secret, { "sec-fetch-site": "cross-site" }),
    ],
    [
      "to one without the header of our pages",
      async () => ({ headers: { cookie: `__Host-qf_session=${session.secret}` } }),
    ],
    ["without a session", async () => fromPage("x".repeat(43))],
    [
      "for an API token",
      async () => ({ headers: { authorization: `Token ${(await api.tokenAs("owner")).token}` } }),
    ],
    ["for what is no hash of a hello", async () => ({ ...fromPage(session.secret), body: "{}" })],
  ])("%s", async (_what, init) => {
    expect(ask(await init())).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_/) });
  });

  test("by another method than POST", async () => {
    const answer = await terminal.ticket(new Request(tickets, fromPage(session.secret)));
    expect(answer.status).toBe(405);
  });
});

describe("no WebSocket is made", () => {
  test.each<[string, () => Promise<number>, number]>([
    ["of another origin's request", () => connect({ origin: "https://evil.example" }), 403],
    ["of one that names no origin", () => connect({ origin: "" }), 403],
    ["without a session", () => connect({ secret: "x".repeat(43) }), 401],
    ["with another hello than the ticket's", () => connect({ hello: "QUFABRIC/1 other x" }), 401],
    ["without a ticket", () => connect({ protocols: [TERMINAL_PROTOCOL] }), 403],
    [
      "with two tickets",
      async () =>
        connect({ protocols: [TERMINAL_PROTOCOL, `ticket.${await aTicket()}`, "ticket.b", "proof.c"] }),
      403,
    ],
    ["with a ticket that is made up", () => connect({ ticket: "x".repeat(43) }), 401],
  ])("%s", async (_what, asked, status) => {
    expect([await asked(), dialled.length]).toEqual([status, 0]);
  });

  test("of a ticket of another session, or of one that was used", async () => {
    const other = await aSession(api, "user");
    const ticket = await aTicket();
    expect(await connect({ ticket, secret: other.secret })).toBe(401);
    expect([await connect({ ticket }), await connect({ ticket })]).toEqual([101, 401]);
  });
});
