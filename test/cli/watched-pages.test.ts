import { afterEach, expect, test } from "bun:test";
import type { Server } from "bun";
import { watchedPages } from "../../src/cli/watched-pages.ts";
import type { RecordingPage } from "../../src/wire/recording.ts";
import { WATCH_AWAY, WATCH_FORBIDDEN, WATCH_OVER } from "../../src/wire/session-watch.ts";
import { anId } from "../support/policy.ts";

let server: Server<undefined> | undefined;
afterEach(async () => {
  await server?.stop(true);
});

const page = (number: number): RecordingPage => ({
  chunks: [{ number, sha256: "A".repeat(43), data: "" }],
  ...{ next: number + 1, status: "running", encrypted: false },
});

/** Sends `texts` one by one, each when it is asked for, then closes with `code`. */
function aManagement(texts: readonly string[], code: number) {
  const left = [...texts];
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, self) => (self.upgrade(request) ? undefined : new Response("", { status: 400 })),
    websocket: {
      open: (socket) => void socket.send(left.shift() ?? ""),
      message: (socket) => {
        const next = left.shift();
        if (next === undefined) socket.close(code);
        else socket.send(next);
      },
    },
  });
  const { port } = server;
  return { connect: async (path: string) => new WebSocket(`ws://127.0.0.1:${port}${path}`) };
}

/** Nothing but what management sends is waited for. */
const forever = () => new Promise<void>(() => {});
const screen = { isOver: false, wait: forever };

async function read(admin: Parameters<typeof watchedPages>[0]): Promise<(number | null)[]> {
  const numbers: (number | null)[] = [];
  for await (const one of watchedPages(admin, anId("recording"), screen)) {
    numbers.push(one === null ? null : (one.chunks[0]?.number ?? -1));
  }
  return numbers;
}

test("pages come one after the other, to the end of the recording", async () => {
  const texts = [page(0), page(1), page(2)].map((one) => JSON.stringify(one));
  expect(await read(aManagement(texts, WATCH_OVER))).toEqual([0, 1, 2]);
});

test.each([
  { code: WATCH_FORBIDDEN, error: "ERR_FORBIDDEN" },
  { code: WATCH_AWAY, error: "ERR_UNAVAILABLE" },
])("an end with $code is $error", async ({ code, error }) => {
  expect(read(aManagement([JSON.stringify(page(0))], code))).rejects.toMatchObject({ code: error });
});

test("what is no page is not taken for one", async () => {
  expect(read(aManagement(["{}"], WATCH_OVER))).rejects.toMatchObject({ code: "ERR_UNAVAILABLE" });
});

test("without a WebSocket the caller is told to ask by itself", async () => {
  const closed = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("") });
  const { port } = closed;
  await closed.stop(true);
  const connect = async () => new WebSocket(`ws://127.0.0.1:${port}/`);
  expect(await read({ connect })).toEqual([null]);
});

test("a person who stops is sent nothing more", async () => {
  const admin = aManagement([JSON.stringify(page(0))], WATCH_OVER);
  const over = { isOver: false, wait: forever };
  let count = 0;
  for await (const _ of watchedPages(admin, anId("recording"), over)) {
    count += 1;
    over.isOver = true;
  }
  expect(count).toBe(1);
});
