import { afterEach, expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { dialRelayPlainly } from "../../src/fabric/relay-plain.ts";
import { until } from "../support/until.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A plain listener that does `act` with each connection, and the lines that came. */
async function aListener(act: (socket: Socket) => void) {
  const lines: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    socket.once("data", (data) => {
      lines.push(data.toString());
      act(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, lines, sockets };
}

class Other {
  isDestroyed = false;
  destroy() {
    this.isDestroyed = true;
  }
}

function dial(port: number, other: (signal: AbortSignal) => Promise<Other>, signal?: AbortSignal) {
  let count = 0;
  const proof = "p".repeat(86);
  const prove = () => ({ hello: `hello ${++count}`, proof });
  const stream = dialRelayPlainly({
    ...{ origin: "http://127.0.0.1:1", port, timeoutMs: 5_000, signal, prove },
    other: (ended) => {
      prove();
      return other(ended);
    },
  });
  return stream;
}

const never = (signal: AbortSignal) =>
  new Promise<Other>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));

test("a plain connection on which the peer answers is taken, with what it said", async () => {
  const listener = await aListener((socket) => socket.write("SSH-2.0-there"));
  let others = 0;
  const stream = (await dial(listener.port, async () => {
    others += 1;
    return new Other();
  })) as Socket;
  expect(String(stream.read())).toBe("SSH-2.0-there");
  expect(listener.lines).toEqual([`QUFABRIC-RELAY/1 ${"p".repeat(86)} hello 1\n`]);
  expect(others).toBe(0);
  stream.destroy();
});

test.each([
  ["closes the connection", (socket: Socket) => void socket.destroy()],
  ["does not answer", () => {}],
])("where the listener %s the WebSocket is tried, and leaves no connection", async (_name, act) => {
  const listener = await aListener(act);
  const other = new Other();
  expect(await dial(listener.port, async () => other)).toBe(other);
  expect(other.isDestroyed).toBe(false);
  await until("the connection's end", () => listener.sockets.size === 0);
});

test("where nobody listens the WebSocket is tried at once, and its failure is told", async () => {
  const listener = await aListener(() => {});
  const { port } = listener;
  for (const close of closing.splice(0)) await close();
  const failure = new Error("no rule lets you");
  await expect(dial(port, () => Promise.reject(failure))).rejects.toBe(failure);
});

test("an abort ends both ways, with its reason", async () => {
  const listener = await aListener(() => {});
  const abort = new AbortController();
  let isTried = false;
  const stream = dial(
    listener.port,
    (signal) => {
      isTried = true;
      return never(signal);
    },
    abort.signal,
  );
  stream.catch(() => {});
  await until("both ways", () => isTried && listener.sockets.size === 1);
  const reason = new Error("the other path was quicker");
  abort.abort(reason);
  await expect(stream).rejects.toBe(reason);
  await until("the connection's end", () => listener.sockets.size === 0);
});
