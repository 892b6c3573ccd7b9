import { afterEach, describe, expect, test } from "bun:test";
import { connect, createServer, type Server, type Socket } from "node:net";
import { systemClock } from "../../src/base/clock.ts";
import { isQfError } from "../../src/base/errors.ts";
import { dialDirect } from "../../src/fabric/dial.ts";
import { type FabricListener, type ListenOptions, listenFabric } from "../../src/fabric/listen.ts";
import { createSourceLimits } from "../../src/fabric/source-limits.ts";
import type { Hello } from "../../src/wire/hello.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { settles } from "../support/until.ts";

const GOOD: Hello = {
  source: "d".repeat(20),
  target: "m".repeat(20),
  port: 22,
  timeSeconds: 1_800_000_000,
  nonce: "n".repeat(22),
};
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function aListener(change: Partial<ListenOptions> = {}): Promise<FabricListener> {
  const listener = await listenFabric({
    addresses: ["127.0.0.1:0"],
    clock: systemClock,
    check: (line) => (line === "good" ? GOOD : null),
    accept: (stream) => {
      stream.on("error", () => {});
      stream.on("data", (data: Buffer) => stream.write(`got ${data}`));
      stream.on("end", () => stream.end());
      stream.resume();
    },
    helloTimeoutMs: 200,
    ...change,
  });
  open.push(listener);
  return listener;
}

function portOf(listener: FabricListener, at = 0): number {
  return Number(listener.addresses[at]?.split(":").pop());
}

/** Sends `parts`, 20 ms apart, and returns all that came back before the other side closed. */
async function exchange(
  port: number,
  parts: readonly (string | Buffer)[],
  waitForClose = true,
): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let got = "";
  socket.on("data", (data) => {
    got += data;
    if (!waitForClose) socket.end();
  });
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  for (const part of parts) {
    socket.write(part);
    await Bun.sleep(20);
  }
  const isClosed = await settles(closed);
  socket.destroy();
  return isClosed ? got : "still open";
}

describe("listenFabric", () => {
  test("hands on a checked stream with what followed the line", async () => {
    const port = portOf(await aListener());
    expect(await exchange(port, ["good\nSSH-2.0-x\r\n"], false)).toBe("got SSH-2.0-x\r\n");
  });

  test("takes a line that comes byte by byte", async () => {
    const port = portOf(await aListener());
    expect(await exchange(port, ["g", "o", "od", "\n", "x"], false)).toBe("got x");
  });

  test.each([
    { name: "a refused line", parts: ["bad\n"] },
    { name: "a refused line with more behind it", parts: ["bad\ngood\n"] },
    { name: "an SSH client", parts: ["SSH-2.0-OpenSSH_10.1\r\n"] },
    { name: "binary noise", parts: [Buffer.from([0, 255, 1, 10, 254, 10])] },
    { name: "a line that is too long", parts: ["x".repeat(2000)] },
    { name: "a long line in parts", parts: ["x".repeat(600), "x".repeat(600)] },
    { name: "a line that does not end in time", parts: ["goo"] },
    { name: "nothing at all", parts: [] },
  ])("sends nothing back to $name", async ({ parts }) => {
    const port = portOf(await aListener());
    expect(await exchange(port, parts)).toBe("");
  });

  test.each<{ name: string; parts: string[]; want: string[] }>([
    { name: "a line that is too long", parts: ["x".repeat(2000)], want: ["invalid-hello"] },
    { name: "a long line in parts", parts: ["x".repeat(600), "x".repeat(600)], want: ["invalid-hello"] },
    { name: "a line that does not end in time", parts: ["goo"], want: ["grace-exceeded"] },
    { name: "nothing at all", parts: [], want: ["grace-exceeded"] },
    { name: "a line that is refused, which its check knows", parts: ["bad\n"], want: [] },
  ])("counts $name as what it is", async ({ parts, want }) => {
    const offences: string[] = [];
    const onOffence = (_address: string, offence: string) => void offences.push(offence);
    expect(await exchange(portOf(await aListener({ onOffence })), parts)).toBe("");
    expect(offences).toEqual(want);
  });

  test("listens to nobody who has to wait", async () => {
    const turnedAway: string[] = [];
    const lines: string[] = [];
    const listener = await aListener({
      refuses: (address) => address.endsWith("127.0.0.1"),
      onTurnedAway: (address) => void turnedAway.push(address),
      check: (line) => {
        lines.push(line);
        return GOOD;
      },
    });
    expect(await exchange(portOf(listener), ["good\nx"])).toBe("");
    expect([turnedAway.length, lines.length]).toEqual([1, 0]);
  });

  test("closes a half line whose sender has gone", async () => {
    const port = portOf(await aListener({ helloTimeoutMs: 10_000 }));
    const socket = connect(port, "127.0.0.1");
    socket.end("goo");
    await new Promise((resolve) => socket.on("close", resolve));
  });

  test("listens on several addresses and names them", async () => {
    const listener = await aListener({ addresses: ["127.0.0.1:0", "127.0.0.2:0"] });
    expect(listener.addresses).toHaveLength(2);
    expect(listener.addresses[1]).toStartWith("127.0.0.2:");
  });

  test("says which address is in use, and then listens on none", async () => {
    const first = await aListener();
    const taken = first.addresses[0] ?? "";
    const failure = await aListener({ addresses: ["127.0.0.1:0", taken] }).catch((error: unknown) => error);
    expect(isQfError(failure, "ERR_ADDRESS_IN_USE")).toBe(true);
  });

  test("gives its address back at once, and leaves accepted streams alone", async () => {
    const listener = await aListener();
    const socket = connect(portOf(listener), "127.0.0.1");
    socket.write("good\nx");
    const got = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
    expect(got.toString()).toBe("got x");
    listener.close();
    await aListener({ addresses: listener.addresses });
    socket.write("y");
    const more = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
    expect(more.toString()).toBe("got y");
    socket.destroy();
  });

  test("drops connections of one source beyond its limit", async () => {
    const turnedAway: string[] = [];
    const onTurnedAway = (address: string) => void turnedAway.push(address);
    const limits = { perSourceMax: 1 };
    const port = portOf(await aListener({ limits, helloTimeoutMs: 2_000, onTurnedAway }));
    const waiting = connect(port, "127.0.0.1");
    open.push({ close: () => waiting.destroy() });
    await new Promise((resolve) => waiting.on("connect", resolve));
    await Bun.sleep(20);
    expect(await exchange(port, ["good\nx"])).toBe("");
    expect(turnedAway).toEqual(["127.0.0.1"]);
  });
});

describe("createSourceLimits", () => {
  test("lets a source that keeps failing pause, and forgives after the window", () => {
    const clock = new FakeClock();
    const limits = createSourceLimits(clock, { failuresMax: 2, windowMs: 1_000 });
    for (let i = 0; i < 2; i++) {
      expect(limits.enter("192.0.2.1")).toBe(true);
      limits.leave("192.0.2.1", false);
    }
    expect(limits.enter("192.0.2.1")).toBe(false);
    expect(limits.enter("192.0.2.2")).toBe(true);
    clock.advanceMs(1_000);
    expect(limits.enter("192.0.2.1")).toBe(true);
  });

  test("bounds what all of one IPv6 /48 has open, and how often it may fail", () => {
    const limits = createSourceLimits(new FakeClock(), { perSourceMax: 2, failuresMax: 3 });
    const addressOf = (i: number) => `2001:db8:0:${(i * 256).toString(16)}::1`;
    const entered = Array.from({ length: 20 }, (_, i) => addressOf(i)).filter((one) => limits.enter(one));
    expect(entered).toHaveLength(8);
    expect(limits.enter("2001:db8:1::1")).toBe(true);
    for (const one of entered) limits.leave(one, false);
    for (let i = 8; i < 20; i++) if (limits.enter(addressOf(i))) limits.leave(addressOf(i), false);
    expect(limits.enter(addressOf(99))).toBe(false);
  });
});

describe("dialDirect", () => {
  const dial = (addresses: string[], change = {}) =>
    dialDirect({ addresses, helloFor: () => "good\n", timeoutMs: 1_000, staggerMs: 30, ...change });

  /** An agent's side that speaks first, as SSH does. */
  async function anAgent(): Promise<FabricListener> {
    return await aListener({
      accept: (stream) => {
        stream.on("error", () => {});
        stream.write("SSH-2.0-agent\r\n");
      },
    });
  }

  async function aServer(onConnection: (socket: Socket) => void): Promise<string> {
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      onConnection(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    open.push({
      close: () => {
        for (const socket of sockets) socket.destroy();
        server.close();
      },
    });
    const address = server.address();
    return `127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  async function firstBytes(socket: Socket): Promise<string> {
    const data = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
    socket.destroy();
    return data.toString();
  }

  test("loses no byte of the answer it waited for", async () => {
    const [address = ""] = (await anAgent()).addresses;
    const result = await dial([address]);
    expect(result.address).toBe(address);
    expect(await firstBytes(result.socket)).toBe("SSH-2.0-agent\r\n");
  });

  test("passes by an address that takes the connection and stays silent", async () => {
    const [address = ""] = (await anAgent()).addresses;
    const silent = await aServer(() => {});
    const result = await dial([silent, address]);
    expect(result.address).toBe(address);
    result.socket.destroy();
  });

  test("passes by an address that refuses", async () => {
    const [address = ""] = (await anAgent()).addresses;
    const result = await dial(["127.0.0.1:1", address], { staggerMs: 10_000 });
    expect(result.address).toBe(address);
    result.socket.destroy();
  });

  test("makes a hello per attempt", async () => {
    let made = 0;
    const helloFor = () => `hello ${++made}\n`;
    const silent = [await aServer(() => {}), await aServer(() => {})];
    await dial(silent, { helloFor, timeoutMs: 200 }).catch(() => {});
    expect(made).toBe(2);
  });

  test("returns at connect when the descriptor is to be handed on", async () => {
    const silent = await aServer(() => {});
    const { socket } = await dial([silent], { awaitAnswer: false });
    socket.destroy();
  });

  test.each([
    { name: "refuses", to: async () => "127.0.0.1:1", want: /^Connection refused/ },
    { name: "stays silent", to: () => aServer(() => {}), want: /^Connection timeout/ },
    { name: "hangs up", to: () => aServer((socket) => socket.end()), want: /without an answer/ },
  ])("says so when the peer $name", async ({ to, want }) => {
    const failure = await dial([await to()], { timeoutMs: 200 }).catch((error: unknown) => error);
    expect(isQfError(failure, "ERR_PEER_UNREACHABLE")).toBe(true);
    expect((failure as Error).message).toMatch(want);
  });

  test("fails at once without any address", async () => {
    const failure = await dial([]).catch((error: unknown) => error);
    expect(isQfError(failure, "ERR_PEER_UNREACHABLE")).toBe(true);
  });

  test("ends with the caller's signal", async () => {
    const stop = new AbortController();
    const silent = await aServer(() => stop.abort(new Error("stopped")));
    await expect(dial([silent], { signal: stop.signal, timeoutMs: 60_000 })).rejects.toThrow("stopped");
  });
});
