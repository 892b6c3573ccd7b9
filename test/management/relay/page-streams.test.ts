import { expect, test } from "bun:test";
import { PageStreams } from "../../../src/management/relay/page-streams.ts";
import type { Stream } from "../../../src/management/relay/streams.ts";

const aStream = (isOver = false): Stream => ({ isOver }) as Stream;

/** Looks at sessions by name: true lives, false is over, an error cannot be looked at. */
function openPages(state: Record<string, boolean | Error>) {
  const ended: Stream[] = [];
  const asked: string[] = [];
  const pages = new PageStreams((stream) => void ended.push(stream));
  const add = (sessionId: string, stream = aStream()): Stream => {
    pages.add(stream, {
      sessionId,
      async isLive() {
        asked.push(sessionId);
        const said = state[sessionId];
        if (said instanceof Error) throw said;
        return said === true;
      },
    });
    return stream;
  };
  return { pages, ended, asked, add };
}

test("a stream ends with its session, and with a session that cannot be looked at; others go on", async () => {
  const state: Record<string, boolean | Error> = { a: true, b: false, c: new Error("the database is away") };
  const { pages, ended, add } = openPages(state);
  const [living, dead, unknown] = [add("a"), add("b"), add("c")];
  add("d", aStream(true));
  await pages.look();
  expect(ended).toEqual([dead, unknown]);
  state.a = false;
  await pages.look();
  expect(ended).toEqual([dead, unknown, living]);
  pages.stop();
});

test("a session is asked about once, and all its streams end together", async () => {
  const state: Record<string, boolean> = { a: true, b: true };
  const { pages, ended, asked, add } = openPages(state);
  const streams = Array.from({ length: 40 }, () => add("a"));
  const other = add("b");
  await pages.look();
  expect(asked.toSorted()).toEqual(["a", "b"]);
  state.a = false;
  await pages.look();
  expect(ended).toEqual(streams);
  // One that is opened again by the same session is looked at again.
  state.a = true;
  const again = add("a");
  [state.a, state.b] = [false, false];
  await pages.look();
  expect(ended.slice(streams.length)).toEqual([other, again]);
  pages.stop();
});

test("more sessions than are asked about at once are all looked at, and streams that are over are forgotten", async () => {
  const { pages, ended, asked, add } = openPages({});
  for (let count = 0; count < 50; count++) add(`s${count}`);
  add("gone", aStream(true));
  await pages.look();
  expect([ended.length, asked.length, asked.includes("gone")]).toEqual([50, 50, false]);
  await pages.look();
  expect(asked.length).toBe(50);
  pages.stop();
});
