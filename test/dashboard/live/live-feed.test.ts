import { afterEach, expect, test } from "bun:test";
import { QueryClient } from "@tanstack/react-query";
import { followLive } from "../../../src/dashboard/live/live-feed.ts";

const real = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = real;
});

/** Answers the first request with `first`, and the second with 401. */
function answerOnce(first: Response): void {
  let asked = 0;
  const fake = async (): Promise<Response> => (asked++ === 0 ? first : new Response(null, { status: 401 }));
  globalThis.fetch = fake as unknown as typeof fetch;
}

test("what changed is stale, in pieces as they come; a session that is over ends it", async () => {
  const parts = ['data: {"kinds":["pe', 'ers"]}\n\n: still here\n\n', 'data: {"kinds":["groups"]}\n\n'];
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(new TextEncoder().encode(part));
      controller.close();
    },
  });
  answerOnce(new Response(body));
  const client = new QueryClient();
  const stale: unknown[] = [];
  client.invalidateQueries = async (filters) => void stale.push(filters?.queryKey?.[0]);
  const heard: string[] = [];
  const hearers = { onStatus: (status: string) => heard.push(status), onEnding: () => {} };
  await followLive(client, hearers, new AbortController().signal);
  expect(stale).toEqual(["peers", "groups"]);
  expect(heard).toEqual(["live", "reconnecting", "over"]);
});

test("news that are none change nothing", async () => {
  answerOnce(new Response('data: {"kinds":7}\n\ndata: null\n\n'));
  const client = new QueryClient();
  let stale = 0;
  client.invalidateQueries = async () => void stale++;
  await followLive(client, { onStatus: () => {}, onEnding: () => {} }, new AbortController().signal);
  expect(stale).toBe(0);
});

test("that the session ends is heard, and that it does not any longer; what is no such news says nothing", async () => {
  const said = [
    { kinds: [], ending: { seconds_left: 290, may_extend: true } },
    { kinds: ["peers"] },
    { kinds: [], ending: { seconds_left: 60, may_extend: "yes" } },
    { kinds: [], ending: null },
    { kinds: [], ending: { seconds_left: "soon" } },
  ];
  answerOnce(new Response(said.map((one) => `data: ${JSON.stringify(one)}\n\n`).join("")));
  const heard: unknown[] = [];
  const hearers = { onStatus: () => {}, onEnding: (ending: unknown) => heard.push(ending) };
  await followLive(new QueryClient(), hearers, new AbortController().signal);
  expect(heard).toEqual([
    { secondsLeft: 290, mayExtend: true },
    { secondsLeft: 60, mayExtend: false },
    null,
    null,
  ]);
});
