import { beforeEach, expect, test } from "bun:test";
import {
  createTerminalTickets,
  type TerminalTickets,
  type TicketUse,
} from "../../../../src/management/http/dashboard/terminal-tickets.ts";
import { TestApi } from "../../../support/admin-api.ts";

let api: TestApi;
let tickets: TerminalTickets;
const USE: TicketUse = { sessionId: "session", userId: "user", helloHash: "h".repeat(43) };
beforeEach(async () => {
  api = await TestApi.open();
  const { store, clock } = api.management;
  tickets = createTerminalTickets({ store, clock, masterKey: new Uint8Array(32) });
});

test("a ticket is good once, for what it was made for", async () => {
  const ticket = tickets.issue(USE);
  expect([await tickets.use(ticket, USE), await tickets.use(ticket, USE)]).toEqual([true, false]);
});

test.each<[string, Partial<TicketUse>]>([
  ["of another session", { sessionId: "other" }],
  ["of another person", { userId: "other" }],
  ["for another hello", { helloHash: "i".repeat(43) }],
])("one %s is not, and is not used up by that", async (_what, other) => {
  const ticket = tickets.issue(USE);
  expect(await tickets.use(ticket, { ...USE, ...other })).toBe(false);
  expect(await tickets.use(ticket, USE)).toBe(true);
});

test.each([
  ["nothing", ""],
  ["another text", "x".repeat(43)],
  ["one that is too long", "x".repeat(44)],
])("%s is none", async (_what, ticket) => {
  expect(await tickets.use(ticket, USE)).toBe(false);
});

test("one is good for ten seconds, and one of another key never", async () => {
  const { store, clock } = api.management;
  const other = createTerminalTickets({ store, clock, masterKey: new Uint8Array(32).fill(1) });
  expect(await other.use(tickets.issue(USE), USE)).toBe(false);
  const ticket = tickets.issue(USE);
  clock.advanceMs(10_000);
  expect(await tickets.use(ticket, USE)).toBe(false);
});
