/** `/readyz`: each thing that keeps a server from serving, by name, and how often the database is tried. */
import { expect, test } from "bun:test";
import { QfError } from "../../src/base/errors.ts";
import { createReadiness } from "../../src/management/readiness.ts";
import { FakeClock } from "../support/fake-clock.ts";

function aServer(faults: { isOpen?: boolean; accounts?: unknown[] | null; write?: Error } = {}) {
  const clock = new FakeClock();
  let writes = 0;
  const state = { isOpen: true, accounts: [{}] as unknown[] | null, write: undefined as Error | undefined };
  Object.assign(state, faults);
  const store = {
    read: async () => {
      if (state.accounts === null) throw new Error("gone");
      return state.accounts;
    },
    transaction: async () => {
      writes += 1;
      if (state.write !== undefined) throw state.write;
    },
  };
  const readiness = createReadiness({ store: store as never, clock, isOpen: () => state.isOpen });
  const ask = async () => {
    const response = await readiness.answer();
    return { status: response.status, text: await response.text() };
  };
  return { ask, clock, state, writes: () => writes };
}

test("a server that can read and write is ready", async () => {
  expect(await aServer().ask()).toEqual({ status: 200, text: "ready\n" });
});

const full = new QfError("ERR_UNAVAILABLE", "the database cannot be written: the disk is full");

test.each([
  ["stops", { isOpen: false }, "this server is stopping"],
  ["cannot read", { accounts: null }, "the database cannot be read"],
  ["has no account", { accounts: [] }, "this server is not set up yet"],
  ["has a full disk", { write: full }, "the database cannot be written: the disk is full"],
  ["fails otherwise", { write: new Error("/secret/path") }, "the database cannot be written"],
])("a server that %s is not, and says so", async (_name, faults, why) => {
  expect(await aServer(faults).ask()).toEqual({ status: 503, text: `not ready: ${why}\n` });
});

test("the database is tried once in five seconds, however many ask, and is ready again when it can be", async () => {
  const server = aServer({ write: full });
  await Promise.all([server.ask(), server.ask(), server.ask()]);
  expect(server.writes()).toBe(1);
  server.state.write = undefined;
  expect((await server.ask()).status).toBe(503);
  server.clock.advanceMs(5_000);
  expect((await server.ask()).status).toBe(200);
});
