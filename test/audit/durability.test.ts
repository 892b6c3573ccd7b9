/** What must survive a crash of the machine is synced, files and the folders that name them. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { writeFileAtomic } from "../../src/base/files.ts";
import { anEvent, aSpool, details } from "../support/spool.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { type WatchedFiles, watchFiles } from "../support/watched-files.ts";

let directory: string;
let files: WatchedFiles;
beforeEach(async () => {
  directory = tempFolder();
  files = await watchFiles();
});
afterEach(() => files[Symbol.dispose]());

test("a state file is synced under another name before it takes its own, and its folder after", async () => {
  const path = join(directory, "state.json");
  await writeFileAtomic(path, "old", 0o600);
  files.calls.length = 0;
  let before = "";
  files.replace("sync", (file, real) => {
    before = readFileSync(path, "utf8");
    return real.call(file);
  });
  await writeFileAtomic(path, "new", 0o600);
  expect(before).toBe("old");
  expect(files.calls.map((call) => call.replace(/state\.json\.\w+\.tmp/, "temporary"))).toEqual([
    "chmod temporary",
    "writeFile temporary",
    "sync temporary",
    `sync ${basename(directory)}`,
  ]);
});

test("a state file stays as it was when the new one cannot be synced", async () => {
  const path = join(directory, "state.json");
  await writeFileAtomic(path, "old", 0o600);
  files.fail("sync", "EIO");
  const failure = await writeFileAtomic(path, "new", 0o600).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "EIO", path });
  expect(readFileSync(path, "utf8")).toBe("old");
  expect(existsSync(path)).toBe(true);
});

test("the name of each new segment is synced before anything is stored in it", async () => {
  const spool = await aSpool(directory, { segmentBytesMax: 1 });
  const folder = basename(directory);
  expect(files.calls).toEqual([`sync ${folder}`]);
  files.calls.length = 0;
  await spool.record(anEvent("a"));
  await spool.record(anEvent("b"));
  const stored = (seq: number): string => `write ${String(seq).padStart(16, "0")}.jsonl`;
  const wanted = [stored(1), `sync ${folder}`, stored(2)];
  expect(files.calls.slice(0, wanted.length)).toEqual(wanted);
});

test("events that are numbered anew are synced, with their folder, before the old files go", async () => {
  mkdirSync(join(directory, "spool"));
  const spool = await aSpool(join(directory, "spool"));
  await spool.record(anEvent("a"));
  files.calls.length = 0;
  await spool.acknowledge(40);
  const [first, second, third, fourth] = files.calls.map((call) => call.replace(/\.\w{20}\.tmp/, ".tmp"));
  const name = "0000000000000041.jsonl.tmp";
  expect([first, second, third]).toEqual([`chmod ${name}`, `writeFile ${name}`, `sync ${name}`]);
  expect(fourth).toBe("sync spool");
  expect((await details(spool))[0]).toBe("41 a");
});
