import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { SshWriter } from "../../src/base/ssh-buffer.ts";
import { type GuardedServer, startGuardedServer } from "../support/guarded-server.ts";
import { kexInit, keyedClient, plausible, type RawClient, rawClient } from "../support/raw-ssh.ts";
import { settles, until } from "../support/until.ts";

/** What may be said in each state before anybody is signed in, and stays without effect or is an answer. */
const STATES: readonly {
  readonly state: string;
  readonly reach: (port: number) => Promise<RawClient>;
  readonly taken: readonly number[];
  /** Events that reaching the state, and what is taken in it, may cause. */
  readonly events: readonly string[];
}[] = [
  { state: "before KEXINIT", reach: (port) => rawClient(port), taken: [20], events: [] },
  {
    state: "between KEXINIT and the exchange",
    reach: async (port) => {
      const client = await rawClient(port);
      client.send(kexInit());
      return client;
    },
    taken: [30],
    events: [],
  },
  {
    state: "between the exchange and NEWKEYS",
    reach: async (port) => {
      const client = await rawClient(port);
      client.send(kexInit(), plausible(30));
      return client;
    },
    // NEWKEYS itself is right; what follows would have to be encrypted.
    taken: [21],
    events: [],
  },
  {
    state: "before SERVICE_REQUEST",
    reach: (port) => keyedClient(port, "keyed"),
    taken: [2, 3, 4, 5, 7],
    events: [],
  },
  {
    state: "before SERVICE_REQUEST, after another message",
    reach: async (port) => {
      const client = await keyedClient(port, "keyed");
      client.send(plausible(2));
      return client;
    },
    taken: [2, 3, 4, 5],
    events: [],
  },
  {
    state: "before USERAUTH_REQUEST",
    reach: (port) => keyedClient(port, "service"),
    taken: [2, 3, 4, 50],
    events: ["authentication"],
  },
  {
    state: "between failed requests",
    reach: (port) => keyedClient(port, "failed"),
    // The service may be asked for again between two tries, as paramiko does.
    taken: [2, 3, 4, 5, 50],
    events: ["authentication"],
  },
  {
    state: "while a prompt waits for its answer",
    reach: async (port) => {
      const client = await keyedClient(port, "failed");
      const request = new SshWriter().uint8(50).text("root").text("ssh-connection");
      client.send(request.text("keyboard-interactive").text("").text("").toBuffer());
      await until("the prompt", () => client.received.includes(60));
      return client;
    },
    taken: [2, 3, 4, 50, 61],
    events: ["authentication"],
  },
];
const TYPES = Array.from({ length: 127 }, (_, index) => index + 1);
/** A signing in that would succeed, and a session with a command: what an attacker would send next. */
const NEXT = [plausible(50), plausible(90), plausible(98)];

describe.each(STATES)("$state", ({ reach, taken, events }) => {
  let server: GuardedServer;
  beforeAll(async () => {
    server = await startGuardedServer({ password: "secret", limits: { lingerMs: 200 } });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("every message out of its place ends the connection, and nothing after it is looked at", async () => {
    const wrong: string[] = [];
    const check = async (type: number) => {
      using client = await reach(server.port);
      const before = server.events.length;
      client.send(plausible(type), ...NEXT);
      if (!(await settles(client.closed))) wrong.push(`${type}: still open`);
      if (server.events.length !== before) wrong.push(`${type}: ${server.events.slice(before).join()}`);
      const what = server.violations.at(-1);
      if (type !== 1 && !what?.startsWith(`message ${type} in state `)) wrong.push(`${type}: ${what}`);
      // The server itself ends what a client says DISCONNECT in.
      if (type !== 1 && !client.received.includes(1)) wrong.push(`${type}: no DISCONNECT`);
    };
    // One after another: events of one must not be counted as another's.
    for (const type of TYPES.filter((type) => !taken.includes(type))) await check(type);
    expect(wrong).toEqual([]);
    expect(server.events.filter((event) => event !== "authentication")).toEqual([]);
  });

  test("what has its place there does not end the connection and enters nothing", async () => {
    const wrong: string[] = [];
    const before = server.events.length;
    await Promise.all(
      taken.map(async (type) => {
        using client = await reach(server.port);
        client.send(type === 50 ? wrongPassword() : plausible(type));
        await Bun.sleep(100);
        if (client.isClosed()) wrong.push(`${type}: closed`);
      }),
    );
    expect(wrong).toEqual([]);
    expect(server.events.slice(before).filter((event) => !events.includes(event))).toEqual([]);
  });
});

function wrongPassword(): Buffer {
  const payload = Buffer.from(plausible(50));
  payload.write("SECRET", payload.length - 6);
  return payload;
}
