import { expect, test } from "bun:test";
import { PageStreams } from "../../../src/management/relay/page-streams.ts";
import type { Stream } from "../../../src/management/relay/streams.ts";

const aStream = (isOver = false): Stream => ({ isOver }) as Stream;

test("a stream ends with its session, and with a session that cannot be looked at; others go on", async () => {
  const ended: Stream[] = [];
  const pages = new PageStreams((stream) => void ended.push(stream));
  const [living, dead, unknown] = [aStream(), aStream(), aStream()];
  let lives = true;
  pages.add(living, async () => lives);
  pages.add(dead, async () => false);
  pages.add(unknown, async () => {
    throw new Error("the database is away");
  });
  pages.add(aStream(true), async () => false);
  await pages.look();
  expect(ended).toEqual([dead, unknown]);
  lives = false;
  await pages.look();
  expect(ended).toEqual([dead, unknown, living]);
  pages.stop();
});
