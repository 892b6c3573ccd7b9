/** A recording as a page loads it, by the API, up to what a page holds. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { loadCast } from "../../../src/dashboard/recording/load-cast.ts";

const real = globalThis.fetch;
let stored: string[];
let asked: string[];
beforeEach(() => {
  [stored, asked] = [[], []];
  const answer = async (url: string): Promise<Response> => {
    asked.push(url);
    const from = Number(new URL(url, "http://a").searchParams.get("from"));
    const chunks = stored.slice(from, from + 2).map((text, i) => ({
      ...{ number: from + i, sha256: "A".repeat(43) },
      data: Buffer.from(text).toString("base64"),
    }));
    const next = from + chunks.length;
    return Response.json({ chunks, next, status: "complete", encrypted: false });
  };
  globalThis.fetch = answer as unknown as typeof fetch;
});
afterEach(() => {
  globalThis.fetch = real;
});

const load = (onRead: (chars: number) => void = () => {}) =>
  loadCast("d34", new AbortController().signal, onRead);

test("all of it, page by page, as text and as events", async () => {
  stored = ['{"version":2,"width":90,"height":20}\n', '[1, "o", "日本"]\n', '[2, "o", "!\\r\\n"]\n'];
  const read: number[] = [];
  const cast = await load((chars) => read.push(chars));
  expect(cast.size).toEqual({ columns: 90, rows: 20 });
  expect(cast.events).toEqual([
    [1, "o", "日本"],
    [2, "o", "!\r\n"],
  ]);
  expect(cast.shown.lines.map(({ text }) => text)).toEqual(["日本!"]);
  expect(cast.text.join("")).toBe(stored.join(""));
  expect(cast.isCut).toBe(false);
  expect(asked.map((url) => url.split("?")[1])).toEqual(["from=0", "from=2", "from=3"]);
  expect(read).toHaveLength(2);
});

test("none of one without chunks", async () => {
  expect(await load()).toMatchObject({ events: [], isCut: false });
});

test("no more than a page holds, which it says", async () => {
  const line = `[1, "o", "${"x".repeat(2_000_000)}"]\n`;
  stored = Array.from({ length: 20 }, () => line);
  const cast = await load();
  expect(cast.isCut).toBe(true);
  expect(cast.events.length).toBeLessThan(20);
});

test("what is not the API's is a failure", async () => {
  globalThis.fetch = (async () => new Response("no", { status: 500 })) as unknown as typeof fetch;
  expect(load()).rejects.toMatchObject({ status: 500 });
});
