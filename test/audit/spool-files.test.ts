/** What a spool asks of the disk, in which order, and what is left when the disk says no. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  constants,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openSpool } from "../../src/audit/spool.ts";
import { silentLog } from "../../src/base/log.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { anEvent, aSpool, details, outcomeOf, reopened } from "../support/spool.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";
import { type WatchedFiles, watchFiles } from "../support/watched-files.ts";

const FIRST = "0000000000000001.jsonl";
let directory: string;
let files: WatchedFiles;
beforeEach(async () => {
  directory = tempFolder();
  files = await watchFiles();
});
afterEach(() => files[Symbol.dispose]());

const textOf = (name = FIRST): string => readFileSync(join(directory, name), "utf8");
/** First numbers of the segments that there are. */
const segments = (): number[] =>
  readdirSync(directory)
    .sort()
    .map((name) => Number(name.slice(0, 16)));

describe("an event that is recorded", () => {
  test("counts as stored once it is written to a file whose writes wait for the disk", async () => {
    const spool = await aSpool(directory);
    files.calls.length = 0;
    let isDurable = false;
    let isStored = false;
    const written = Promise.withResolvers<void>();
    files.replace("write", async (file, real, args) => {
      const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${file.fd}`, "utf8"))?.[1];
      isDurable = (Number.parseInt(flags ?? "0", 8) & constants.O_DSYNC) === constants.O_DSYNC;
      const result = await real.apply(file, args);
      await written.promise;
      return result;
    });
    const recording = spool.record(anEvent("a")).then(() => {
      isStored = true;
    });
    await until("the event is written", () => textOf().includes('"detail":"a"'));
    await Bun.sleep(5);
    expect({ isStored, isDurable }).toEqual({ isStored: false, isDurable: true });
    written.resolve();
    await recording;
    expect(files.calls).toEqual([`write ${FIRST}`]);
  });

  test("shares its write with those that came at the same time, and with no others", async () => {
    const spool = await aSpool(directory);
    files.calls.length = 0;
    await Promise.all(["a", "b", "c"].map((name) => spool.record(anEvent(name))));
    await spool.record(anEvent("d"));
    expect(files.calls).toEqual([`write ${FIRST}`, `write ${FIRST}`]);
  });

  test("is written whole by a system that takes a few bytes at a time", async () => {
    const spool = await aSpool(directory);
    for (let i = 0; i < 3; i++) {
      files.replace("write", (file, real, [data, at]) => real.call(file, data, at, 7));
    }
    await spool.record(anEvent("a"));
    expect(await details(await reopened(spool, directory))).toEqual(["1 a"]);
  });

  test("is refused by a system that takes nothing", async () => {
    const spool = await aSpool(directory);
    files.replace("write", () => Promise.resolve({ bytesWritten: 0 }));
    expect(await outcomeOf(spool.record(anEvent("a")))).toBe("ERR_UNAVAILABLE");
  });

  test("can be read by the agent's own user only", async () => {
    const spool = await aSpool(directory);
    await spool.record(anEvent("a"));
    expect(statSync(join(directory, FIRST)).mode & 0o777).toBe(0o600);
  });
});

describe("when a write fails", () => {
  test("what was to be stored is refused, and nothing of it is left", async () => {
    const spool = await aSpool(directory);
    await spool.record(anEvent("a"));
    const before = textOf();
    files.calls.length = 0;
    files.replace("write", async (file, real, [data]) => {
      await real.call(file, data, 0, 20);
      throw Object.assign(new Error("ENOSPC: injected"), { code: "ENOSPC" });
    });
    expect(await outcomeOf(spool.record(anEvent("b")))).toBe("ERR_UNAVAILABLE");
    expect(textOf()).toBe(before);
    // Taken back for good, so that a crash does not bring back what was refused.
    expect(files.calls).toEqual([`truncate ${FIRST}`, `datasync ${FIRST}`]);
    expect(spool.state()).toMatchObject({ isFailing: true, isBroken: false, events: 1 });
    await spool.record(anEvent("c"));
    expect(spool.state()).toMatchObject({ isFailing: false, isBroken: false, events: 2 });
    expect(await details(await reopened(spool, directory))).toEqual(["1 a", "2 c"]);
  });

  test("all that shared it are refused", async () => {
    const spool = await aSpool(directory);
    files.fail("write", "EIO");
    const outcomes = await Promise.all(["a", "b"].map((name) => outcomeOf(spool.record(anEvent(name)))));
    expect(outcomes).toEqual(["ERR_UNAVAILABLE", "ERR_UNAVAILABLE"]);
    expect(textOf()).toBe("");
  });

  test("and cannot be taken back, nothing is stored any more, although the disk is well again", async () => {
    const spool = await aSpool(directory);
    await spool.record(anEvent("a"));
    files.fail("write", "EIO");
    files.fail("truncate", "EIO");
    expect(await outcomeOf(spool.record(anEvent("b")))).toBe("ERR_UNAVAILABLE");
    expect(spool.state()).toMatchObject({ isBroken: true, events: 1 });
    expect(await outcomeOf(spool.record(anEvent("c")))).toBe("ERR_UNAVAILABLE");
    expect(textOf()).not.toContain('"detail":"c"');
  });

  test("and taking it back cannot be synced, nothing is stored any more either", async () => {
    const spool = await aSpool(directory);
    files.fail("write", "EIO");
    files.fail("datasync", "EIO");
    expect(await outcomeOf(spool.record(anEvent("a")))).toBe("ERR_UNAVAILABLE");
    expect(spool.state().isBroken).toBe(true);
    expect(await outcomeOf(spool.record(anEvent("b")))).toBe("ERR_UNAVAILABLE");
  });
});

// The next segment begins after its event counts as stored; closing waits for that.
describe("a segment", () => {
  test("is deleted with its last event acknowledged, not one event earlier and not one later", async () => {
    const writer = await aSpool(directory, { segmentBytesMax: 1 });
    for (const name of ["a", "b", "c", "d"]) await writer.record(anEvent(name));
    const spool = await reopened(writer, directory);
    expect(segments()).toEqual([1, 2, 3, 4, 5]);
    for (const seq of [1, 2, 3, 4]) {
      await spool.acknowledge(seq);
      expect(segments()).toEqual([1, 2, 3, 4, 5].filter((first) => first > seq));
    }
  });

  test("of several events stays until all of them are acknowledged", async () => {
    const writer = await aSpool(directory, { segmentBytesMax: 250 });
    for (let i = 1; i <= 9; i++) await writer.record(anEvent(`e${i}`));
    const spool = await reopened(writer, directory);
    const firsts = segments();
    expect(firsts.length).toBeLessThan(9);
    for (let seq = 1; seq <= 9; seq++) {
      await spool.acknowledge(seq);
      // Those whose successor begins behind what is acknowledged, and the last one in any case.
      const want = firsts.filter((_, i) => (firsts[i + 1] ?? Number.POSITIVE_INFINITY) > seq + 1);
      expect(segments()).toEqual(want);
      const left = await details(await reopenedCopy());
      expect(left.some((one) => one.startsWith(`${seq + 1} `))).toBe(seq < 9);
    }
  });

  test("that is empty keeps the count over a restart", async () => {
    const writer = await aSpool(directory, { segmentBytesMax: 1 });
    for (const name of ["a", "b"]) await writer.record(anEvent(name));
    const spool = await reopened(writer, directory);
    await spool.acknowledge(2);
    expect(segments()).toEqual([3]);
    const again = await reopened(spool, directory);
    await again.record(anEvent("c"));
    expect(await details(again)).toEqual(["3 c"]);
  });

  test("whose name cannot be made durable is closed again, and the one before stays in use", async () => {
    const spool = await aSpool(directory, { segmentBytesMax: 1 });
    files.fail("sync", "EIO");
    await spool.record(anEvent("a"));
    await spool.record(anEvent("b"));
    await spool.close();
    expect(await details(await reopenedCopy())).toEqual(["1 a", "2 b"]);
    expect(openFiles().filter((path) => path.startsWith(directory))).toEqual([]);
  });

  test("that cannot be opened leaves nothing open behind", async () => {
    files.fail("sync", "EIO");
    const outcome = await openSpool({ directory, clock: new FakeClock(), log: silentLog }).catch(
      (error: NodeJS.ErrnoException) => error.code,
    );
    expect(outcome).toBe("EIO");
    expect(openFiles().filter((path) => path.startsWith(directory))).toEqual([]);
  });

  test("whose name is taken by a link is not followed", async () => {
    const elsewhere = join(tempFolder(), "elsewhere");
    writeFileSync(elsewhere, "");
    symlinkSync(elsewhere, join(directory, FIRST));
    const failure = await openSpool({ directory, clock: new FakeClock(), log: silentLog }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: "ELOOP" });
  });

  test("with numbers that go back is set aside, and what is in order stays", async () => {
    const line = (seq: number, detail: string): string =>
      `${JSON.stringify({ seq, atMs: 1, body: anEvent(detail) })}\n`;
    writeFileSync(join(directory, FIRST), line(1, "a") + line(2, "b") + line(1, "a again"));
    const { spool, damage } = await openSpool({ directory, clock: new FakeClock(), log: silentLog });
    expect(damage.setAside).toHaveLength(1);
    expect((await details(spool)).slice(0, 2)).toEqual(["1 a", "2 b"]);
    await spool.close();
  });
});

/** Paths of what this process has open. */
function openFiles(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // The one of the listing itself.
    }
  });
}

/** The folder as it is, opened a second time. */
async function reopenedCopy() {
  const copy = tempFolder();
  for (const name of readdirSync(directory))
    writeFileSync(join(copy, name), readFileSync(join(directory, name)));
  return await aSpool(copy);
}
