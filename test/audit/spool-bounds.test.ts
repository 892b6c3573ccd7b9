/** What a spool does not take, and what it gives back when it could not. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Spool } from "../../src/audit/spool-contract.ts";
import type { AgentEventBody } from "../../src/wire/audit-event.ts";
import { anEvent, aSpool, details, outcomeOf } from "../support/spool.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { type WatchedFiles, watchFiles } from "../support/watched-files.ts";

let directory: string;
let files: WatchedFiles;
beforeEach(async () => {
  directory = tempFolder();
  files = await watchFiles();
});
afterEach(() => files[Symbol.dispose]());

const MIB = 1024 * 1024;

function aStart(bytes: number, user = "m"): AgentEventBody {
  const words: string[] = [];
  for (let left = bytes; left > 0; left -= 100_000) words.push("x".repeat(Math.min(left, 100_000)));
  const userId = user.repeat(20);
  const rest = { sessionId: 0, kind: "exec", command: null, pty: false } as const;
  return { type: "session.start", connectionId: "c".repeat(20), userId, argv: words, ...rest };
}

const anEnd = (user = "m"): AgentEventBody => ({
  type: "session.end",
  connectionId: "c".repeat(20),
  userId: user.repeat(20),
  sessionId: 0,
  exitStatus: 0,
  signal: null,
  durationMs: 1,
});

/** Records events about `user` until one is refused for their share, and says how many were stored. */
async function fill(spool: Spool, user: string): Promise<number> {
  for (let stored = 0; stored < 100; stored++) {
    const outcome = await outcomeOf(spool.record(aStart(1_000, user)));
    if (outcome !== "stored") {
      expect(outcome).toBe("ERR_TOO_MANY");
      return stored;
    }
  }
  throw new Error("no share was ever full");
}

describe("a spool refuses", () => {
  test("an event that does not fit into a message to management, and takes the largest that does", async () => {
    const spool = await aSpool(directory);
    expect(await outcomeOf(spool.record(aStart(MIB)))).toBe("ERR_UNAVAILABLE");
    expect(await outcomeOf(spool.record(aStart(MIB - 600)))).toBe("stored");
    expect(await spool.pending(1, 10)).toHaveLength(1);
  });

  test("events beyond those that may wait while the disk hangs, and takes them again after", async () => {
    const spool = await aSpool(directory);
    const release = files.hold("write");
    const first = spool.record(anEvent("first"));
    // It is taken out of the queue.
    await new Promise((resolve) => setImmediate(resolve));
    const waiting = Array.from({ length: 4_096 }, (_, i) => outcomeOf(spool.record(anEvent(`w${i}`))));
    const tooMany = outcomeOf(spool.record(anEvent("one too many")));
    release();
    expect(await tooMany).toBe("ERR_UNAVAILABLE");
    await first;
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(["stored"]));
    expect(await outcomeOf(spool.record(anEvent("after")))).toBe("stored");
    expect(spool.state().events).toBe(4_098);
  });

  test("what would not fit beside what is on its way", async () => {
    const spool = await aSpool(directory, { bytesMax: 10_000 });
    const release = files.hold("write");
    const outcomes = Array.from({ length: 60 }, () => outcomeOf(spool.record(anEvent("x".repeat(400)))));
    await Bun.sleep(1);
    release();
    const stored = (await Promise.all(outcomes)).filter((one) => one === "stored").length;
    expect(stored).toBeGreaterThan(5);
    expect(spool.state().bytes).toBeLessThanOrEqual(10_000);
  });

  test("everything once it is closed, after it has stored what waited", async () => {
    const spool = await aSpool(directory);
    const recording = outcomeOf(spool.record(anEvent("waits")));
    const closing = spool.close();
    expect(await outcomeOf(spool.record(anEvent("late")))).toBe("ERR_UNAVAILABLE");
    expect(await recording).toBe("stored");
    await closing;
    expect(await details(await aSpool(directory))).toEqual(["1 waits"]);
    // Closing twice, as the end of this test does, is an error of the file's.
    spool.close = () => Promise.resolve();
  });
});

describe("a spool gives back", () => {
  test("a person's share of what could not be written", async () => {
    const spool = await aSpool(directory, { bytesMax: 40_000 });
    // The common part is full, so that shares count.
    for (const user of ["a", "b", "d", "e"]) await spool.record(aStart(3_700, user));
    for (let round = 0; round < 20; round++) {
      files.fail("write", "EIO");
      expect(await outcomeOf(spool.record(aStart(1_000)))).toBe("ERR_UNAVAILABLE");
    }
    expect(await outcomeOf(spool.record(aStart(1_000)))).toBe("stored");
  });

  test("a person's share of what management has, although others fill the rest", async () => {
    const options = { bytesMax: 40_000, segmentBytesMax: 1 };
    const spool = await aSpool(directory, options);
    const mine = await fill(spool, "m");
    const others = ["a", "b", "d", "e", "f"];
    for (const user of others) await fill(spool, user);
    expect(await fill(spool, "m")).toBe(0);
    await spool.acknowledge(mine);
    expect(spool.state().bytes).toBeGreaterThan(15_000);
    expect(await fill(spool, "m")).toBeGreaterThan(2);
  });

  test("room for the end of what has begun, whatever a person has used up", async () => {
    const spool = await aSpool(directory, { bytesMax: 40_000 });
    for (const user of ["a", "b", "d", "e"]) await spool.record(aStart(3_700, user));
    await fill(spool, "m");
    expect(await outcomeOf(spool.record(aStart(1_000)))).toBe("ERR_TOO_MANY");
    expect(await outcomeOf(spool.record(anEnd()))).toBe("stored");
  });
});

describe("an acknowledgement", () => {
  test("that goes back changes nothing", async () => {
    const spool = await aSpool(directory, { segmentBytesMax: 1 });
    for (const name of ["a", "b", "c", "d"]) await spool.record(anEvent(name));
    await spool.acknowledge(3);
    for (const seq of [1, 0, 3, 2]) {
      await spool.acknowledge(seq);
      expect(spool.nextUnacknowledged).toBe(4);
      expect(spool.state().events).toBe(1);
      expect(await details(spool)).toEqual(["4 d"]);
    }
  });

  test("keeps what management has from being sent again, whatever it asks for", async () => {
    const spool = await aSpool(directory);
    for (const name of ["a", "b", "c"]) await spool.record(anEvent(name));
    await spool.acknowledge(2);
    expect(await details(spool, 1)).toEqual(["3 c"]);
  });
});
