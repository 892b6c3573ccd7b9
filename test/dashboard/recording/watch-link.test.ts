/** Following a recording by a WebSocket: a ticket first, then page by page, to an end that has a name. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { watchRecording } from "../../../src/dashboard/recording/watch-link.ts";

let server: Bun.Server<undefined>;
let refuses: boolean;
let pages: string[];
let endsWith: number;
let seen: { header: string | null; protocols: string | null; asks: number };
beforeEach(() => {
  [refuses, pages, endsWith] = [false, ["a\n", "b\n"], 1000];
  seen = { header: null, protocols: null, asks: 0 };
  const next = (socket: Bun.ServerWebSocket<undefined>): void => {
    const text = pages.shift();
    if (text === undefined) {
      socket.close(endsWith);
      return;
    }
    const chunks = [{ number: 0, sha256: "A".repeat(43), data: Buffer.from(text).toString("base64") }];
    socket.send(JSON.stringify({ chunks, next: 1, status: "running", encrypted: false }));
  };
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request, self) {
      if (request.method === "POST") {
        seen.header = request.headers.get("x-qf-dashboard");
        const refusal = { code: 409, error: "ERR_CONFLICT", message: "its recording is over" };
        return refuses ? Response.json(refusal, { status: 409 }) : Response.json({ ticket: "T" });
      }
      seen.protocols = request.headers.get("sec-websocket-protocol");
      const headers = { "sec-websocket-protocol": "qufabric.watch" };
      return self.upgrade(request, { headers, data: undefined })
        ? undefined
        : new Response(null, { status: 400 });
    },
    websocket: {
      open: next,
      message(socket) {
        seen.asks += 1;
        next(socket);
      },
    },
  });
});
afterEach(() => server.stop(true));

const watch = async (signal = new AbortController().signal) => {
  const lines: string[] = [];
  const end = await watchRecording("d34", {
    origin: `http://127.0.0.1:${server.port}`,
    signal,
    onLines: (text) => lines.push(text),
  });
  return { end, lines };
};

test("each page is shown before the next one is asked for", async () => {
  expect(await watch()).toEqual({ end: "over", lines: ["a\n", "b\n"] });
  expect(seen).toEqual({ header: "1", protocols: "qufabric.watch, ticket.T", asks: 2 });
});

test.each([
  [1000, "over"],
  [4403, "forbidden"],
  [1013, "lost"],
  [1001, "lost"],
] as const)("close code %d is %s", async (code, end) => {
  endsWith = code;
  expect((await watch()).end).toBe(end);
});

test("what cannot be watched says why", () => {
  refuses = true;
  expect(watch()).rejects.toMatchObject({
    status: 409,
    message: "It cannot be watched: its recording is over.",
  });
});

test("it ends when the page is left", async () => {
  pages = [];
  const leaving = new AbortController();
  const watching = watch(leaving.signal);
  leaving.abort();
  expect(await watching.catch(() => ({ end: "lost" }))).toMatchObject({ end: "lost" });
});
