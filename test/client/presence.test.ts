/** A server that takes its time is waited for, and one that is not there is not. */
import { afterEach, expect, test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import { createClientApi, ManagementAwayError } from "../../src/client/client-api.ts";
import { watchPresence } from "../../src/client/presence.ts";

const servers: { server: Server; sockets: Set<Socket> }[] = [];
afterEach(() => {
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

/** Takes connections and never answers. Its origin, and how many came. */
async function silent(): Promise<{ origin: string; connections: () => number; close(): void }> {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    sockets.add(socket);
    socket.on("error", () => {});
  });
  servers.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return { origin: `http://127.0.0.1:${port}`, connections: () => count, close: () => server.close() };
}

/** As one that waits for a host that drops everything: until it is told to stop. */
const lost: typeof fetch = Object.assign(
  (_input: string | URL | Request, init?: RequestInit) =>
    new Promise<Response>((_resolve, reject) => {
      init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
    }),
  { preconnect: fetch.preconnect },
);

test("where nobody is there the wait is over soon, and management is away", async () => {
  const { origin, close } = await silent();
  close();
  const api = createClientApi({ url: origin, fetch: lost, lateMs: 10, timeoutMs: 60_000 });
  const error = await api.challenge().catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(ManagementAwayError);
  expect(String(error)).toContain("no answer in time");
});

test("a server that is there is waited for to the end", async () => {
  const { origin, connections } = await silent();
  const api = createClientApi({ url: origin, lateMs: 10, timeoutMs: 500 });
  expect(await api.challenge().catch((cause: unknown) => cause)).toBeInstanceOf(ManagementAwayError);
  expect(connections()).toBe(2);
});

test("behind a proxy nobody is looked for, nor when the answer came in time", async () => {
  const { origin, connections } = await silent();
  const behind = watchPresence(origin, { lateMs: 1, environment: { https_proxy: "http://proxy:3128" } });
  const early = watchPresence(origin, { lateMs: 50, environment: {} });
  early.end();
  await Bun.sleep(120);
  behind.end();
  expect(connections()).toBe(0);
  expect(behind.signal.aborted || early.signal.aborted).toBe(false);
});
