import { describe, expect, test } from "bun:test";
import { closeSync, existsSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { createChunkDecrypter } from "../../../src/recording/age-chunk.ts";
import { CastReader } from "../../../src/recording/cast.ts";
import { RECORDING_CHUNK_BYTES_MAX } from "../../../src/wire/recording.ts";
import { anEvidence, aRecorder, aRequest, begun } from "../../support/recorder.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

describe("a required recording has begun at management before anything begins", () => {
  test.each([
    { name: "management is away", says: "away" as const },
    { name: "the store is away", says: "unavailable" as const },
    { name: "management refuses", says: "refused" as const },
    { name: "the share of the machine is used up", says: "full" as const },
    { name: "the session is not known there", says: "unreported" as const },
  ])("nothing begins while $name", async ({ says }) => {
    const { management, recorder } = aRecorder({ headerMsMax: 300 });
    management.says = says;
    expect(await recorder.open(aRequest({ mode: "required" }))).toBeNull();
  });

  test("one under which nothing begins has its end in evidence, and at management once it is back", async () => {
    const { management, recorder } = aRecorder({ headerMsMax: 300 });
    const { events, evidence } = anEvidence();
    management.says = "away";
    expect(await recorder.open(aRequest({ mode: "required", evidence }))).toBeNull();
    const end = { status: "cut", why: "management_away" } as const;
    expect(events.at(-1)).toMatchObject(["ended", { ...end, chunks: 1 }]);
    management.says = null;
    await until("its end is stored", () => management.end !== undefined);
    expect(management.end).toEqual(end);
  });

  test("nothing begins where its start is not in evidence, or its spool cannot be written", async () => {
    const { recorder } = aRecorder();
    const { evidence } = anEvidence(["started"]);
    expect(await recorder.open(aRequest({ mode: "required", evidence }))).toBeNull();
    const full = aRecorder({ bounds: { personBytesMax: 1, allBytesMax: 1 } });
    expect(await full.recorder.open(aRequest({ mode: "required" }))).toBeNull();
  });

  test("its header is stored before it has begun", async () => {
    const { management, recorder } = aRecorder();
    await begun(recorder, aRequest({ mode: "required" }));
    expect(management.chunks).toHaveLength(1);
  });
});

describe("where root lets them wait, required recordings begin while management cannot store them", () => {
  test.each(["away", "unavailable"] as const)("kept here while %s, and stored afterwards", async (says) => {
    const { management, recorder } = aRecorder({ mayWait: () => true });
    management.says = says;
    const recording = await begun(recorder, aRequest({ mode: "required" }));
    expect(recording.facts.isKeptHere).toBe(true);
    expect(recording.output(Buffer.alloc(3_000_000, "x"), "stdout")).toBeNull();
    await recording.end();
    expect([recording.hasFailed, management.end]).toEqual([false, undefined]);
    management.says = null;
    await until("it is stored", () => management.end !== undefined);
    expect(management.end).toEqual({ status: "complete", why: null });
  });

  test.each(["refused", "full"] as const)("but not while it is %s", async (says) => {
    const { management, recorder } = aRecorder({ mayWait: () => true });
    management.says = says;
    expect(await recorder.open(aRequest({ mode: "required" }))).toBeNull();
  });

  test("nor where the spool has no room, nor once root no longer lets them", async () => {
    const full = aRecorder({ mayWait: () => true, bounds: { personBytesMax: 1, allBytesMax: 1 } });
    full.management.says = "away";
    expect(await full.recorder.open(aRequest({ mode: "required" }))).toBeNull();
    let mayWait = true;
    const limits = { bytesMax: 1_000_000, heldAfterMs: 10, failedAfterMs: 20 };
    const { management, recorder } = aRecorder({ mayWait: () => mayWait, limits });
    management.says = "away";
    const recording = await begun(recorder, aRequest({ mode: "required" }));
    mayWait = false;
    expect(await recording.failed).toBe("management_away");
    await recording.end();
  });
});

describe("everything that is typed is kept only where it is encrypted", () => {
  const SHOWN = { echo: true, lines: true };
  const UNSEEN = { echo: false, lines: true };

  test.each(["required", "best_effort"] as const)("%s, for recipients: unseen lines too", async (mode) => {
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    const { management, recorder } = aRecorder({ recipients: () => [recipient] });
    const recording = await begun(recorder, aRequest({ mode, allInput: true }));
    expect(recording.facts.hasAllInput).toBe(true);
    for (let i = 0; i < 12; i++) recording.typed(Buffer.from("hunter2\r"), SHOWN, UNSEEN);
    await recording.end();
    await until("it is stored", () => management.end !== undefined);
    expect(management.end).toEqual({ status: "complete", why: null });
    expect(Buffer.concat(management.chunks).includes("hunter2")).toBe(false);
    const open = createChunkDecrypter(identity);
    const texts = await Promise.all(management.chunks.map(open));
    expect(Buffer.concat(texts).toString().split("hunter2")).toHaveLength(13);
  });

  test("without recipients a required one does not begin, and best effort keeps what was shown", async () => {
    const { management, recorder } = aRecorder();
    expect(await recorder.open(aRequest({ mode: "required", allInput: true }))).toBeNull();
    const recording = await begun(recorder, aRequest({ allInput: true }));
    expect(recording.facts.hasAllInput).toBe(false);
    recording.typed(Buffer.from("hunter2\r"), UNSEEN, UNSEEN);
    await recording.end();
    await until("it is stored", () => management.end !== undefined);
    expect(management.text).not.toContain("hunter2");
  });
});

test.each([
  {
    name: "of what does not shrink",
    command: Buffer.from(crypto.getRandomValues(new Uint8Array(65_000))).toString("base64"),
  },
  { name: "of what grows in JSON", command: "\u0001".repeat(131_071) },
])("a long command $name is recorded", async ({ command }) => {
  const { management, recorder } = aRecorder();
  const recording = await begun(recorder, aRequest({ mode: "required", kind: "exec", command }));
  await recording.end();
  expect(management.chunks[0]?.length).toBeLessThanOrEqual(RECORDING_CHUNK_BYTES_MAX);
  const reader = new CastReader();
  reader.read(management.text);
  expect(command.startsWith(String(reader.header?.qufabric?.command))).toBe(true);
  expect(management.end).toEqual({ status: "complete", why: null });
});

test("best effort goes on without a recording where it cannot be begun", async () => {
  const { recorder } = aRecorder();
  expect(await recorder.open(aRequest({ evidence: anEvidence(["started"]).evidence }))).toBeNull();
});

test("what is left in the spool goes up after the next start, as cut where it had no end", async () => {
  const directory = tempFolder();
  const first = aRecorder({ directory });
  first.management.says = "away";
  const recording = await begun(first.recorder, aRequest());
  recording.output(Buffer.from("before the crash\n"), "stdout");
  await first.recorder.close();
  const second = aRecorder({ directory });
  await until("it is stored", () => second.management.end !== undefined);
  expect(second.management.end).toEqual({ status: "cut", why: "agent_stopped" });
  await recording.end();
});

test("a file of the spool that cannot be closed harms no other recording", async () => {
  const directory = tempFolder();
  const { management, recorder } = aRecorder({ directory });
  const recording = await begun(recorder, aRequest());
  await until("its header is stored", () => management.chunks.length === 1);
  recording.output(Buffer.from("shown\n"), "stdout");
  for (const fd of readdirSync("/proc/self/fd")) {
    const path = join("/proc/self/fd", fd);
    if (existsSync(path) && readlinkSync(path).startsWith(directory) && /\/\d{8}$/.test(readlinkSync(path))) {
      closeSync(Number(fd));
    }
  }
  await recording.end();
  management.reset();
  const next = await begun(recorder, aRequest({ mode: "required" }));
  expect(next.hasFailed).toBe(false);
});
