import { describe, expect, test } from "bun:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { createChunkDecrypter } from "../../../src/recording/age-chunk.ts";
import { CastReader } from "../../../src/recording/cast.ts";
import { digestOfChunk, digestText, emptyChain, extendChain } from "../../../src/recording/chunk.ts";
import { bytesOfText } from "../../../src/recording/exact-text.ts";
import type { CastEvent } from "../../../src/wire/recording.ts";
import { anId } from "../../support/policy.ts";
import { anEvidence, aRecorder, aRequest, begun } from "../../support/recorder.ts";
import { until } from "../../support/until.ts";

const SHOWN = { echo: true, lines: true };
const PROMPT = { echo: false, lines: true };

const eventsOf = (text: string): CastEvent[] => new CastReader().read(text);
const shown = (text: string, code = "o") =>
  Buffer.concat(eventsOf(text).flatMap((event) => (event[1] === code ? [bytesOfText(event[2])] : [])));

describe("a recording", () => {
  test("has every byte that was shown, on both streams, and sizes, in order", async () => {
    const { management, recorder } = aRecorder();
    const recording = await begun(recorder, aRequest());
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    recording.output(bytes.subarray(0, 128), "stdout");
    recording.output(Buffer.from("error\n"), "stderr");
    recording.resize({ cols: 100, rows: 30 });
    recording.output(bytes.subarray(128), "stdout");
    await recording.end();
    await until("it is stored", () => management.end !== undefined);
    expect(shown(management.text)).toEqual(
      Buffer.concat([bytes.subarray(0, 128), Buffer.from("error\n"), bytes.subarray(128)]),
    );
    expect(eventsOf(management.text).map(([, code]) => code)).toEqual(["o", "o", "r", "o"]);
    const header = new CastReader();
    header.read(management.text);
    expect(header.header).toMatchObject({
      version: 2,
      width: 80,
      height: 24,
      env: { TERM: "xterm-256color" },
      qufabric: { recordingId: recording.id, connectionId: anId("connection"), sessionId: 0 },
    });
  });

  test("has characters that come in pieces, among ASCII and what is no text at all", async () => {
    const { management, recorder } = aRecorder();
    const recording = await begun(recorder, aRequest());
    const bytes = Buffer.from(`plain ${"x".repeat(9_000)} grüße 漢字 😀\u001b[0m\r\n"\\" end\u0000`);
    const all = Buffer.concat([bytes, Buffer.from([0xff, 0xc3]), bytes, Buffer.from([0xe6, 0xbc])]);
    for (let at = 0; at < all.length; at += 7) {
      // Each its own event.
      recording.output(all.subarray(at, at + 7), "stdout");
      recording.resize({ cols: 80, rows: 24 });
    }
    recording.output(all, "stdout");
    await recording.end();
    await until("it is stored", () => management.end !== undefined);
    expect(shown(management.text)).toEqual(Buffer.concat([all, all]));
  });

  test("has in evidence the digest of each chunk, and of the whole, as they are stored", async () => {
    const { management, recorder } = aRecorder();
    const { events, evidence } = anEvidence();
    const recording = await begun(recorder, aRequest({ evidence }));
    for (let i = 0; i < 100; i++) recording.output(Buffer.alloc(60_000, i), "stdout");
    await recording.end();
    await until("it is stored", () => management.end !== undefined);
    const digests = management.chunks.map((chunk) => digestText(digestOfChunk(chunk)));
    const noted = events.filter(([name]) => name === "chunks");
    expect(noted.flatMap(([, , list]) => list as string[])).toEqual(digests);
    expect(noted.map(([, first]) => first)).toEqual(noted.map((_, i) => 64 * i));
    const chain = management.chunks.map(digestOfChunk).reduce(extendChain, emptyChain());
    expect(events.at(-1)).toMatchObject([
      "ended",
      { status: "complete", why: null, chunks: digests.length, digest: digestText(chain) },
    ]);
  });

  test("keeps of typed input what is shown, and marks of the rest", async () => {
    const { management, recorder } = aRecorder();
    const recording = await begun(recorder, aRequest());
    recording.attach({ modes: () => SHOWN, foreground: () => "sudo" });
    recording.typed(Buffer.from("id\r"), SHOWN, SHOWN);
    recording.output(Buffer.from("id\r\nuid=0\r\n"), "stdout");
    recording.typed(Buffer.from("hunter2\r"), PROMPT, PROMPT);
    await recording.end();
    await until("it is stored", () => management.end !== undefined);
    expect(eventsOf(management.text).map(([, code, text]) => [code, code === "m" ? "" : text])).toEqual([
      ["i", "id\r"],
      ["o", "id\r\nuid=0\r\n"],
      ["m", ""],
    ]);
    expect(management.text).not.toContain("hunter2");
  });

  test("counts standard input, and keeps it where it is required", async () => {
    for (const mode of ["best_effort", "required"] as const) {
      const { management, recorder } = aRecorder();
      const recording = await begun(recorder, aRequest({ mode, kind: "exec" }));
      recording.input(Buffer.from([0, 255, 10]));
      await recording.end();
      await until("it is stored", () => management.end !== undefined);
      if (mode === "required") expect(shown(management.text, "i")).toEqual(Buffer.from([0, 255, 10]));
      else expect(eventsOf(management.text).map(([, code]) => code)).toEqual(["m"]);
    }
  });

  test("is encrypted for the account's recipients, and nobody else", async () => {
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    const { management, recorder } = aRecorder({ recipients: () => [recipient] });
    const recording = await begun(recorder, aRequest({ mode: "required" }));
    // Several chunks, so that one is encrypted while the next is written.
    const bytes = Buffer.concat([Buffer.from("launch-code"), crypto.getRandomValues(new Uint8Array(60_000))]);
    for (let i = 0; i < 3; i++) recording.output(bytes, "stdout");
    await recording.end();
    expect(Buffer.concat(management.chunks).includes("launch-code")).toBe(false);
    const open = createChunkDecrypter(identity);
    const texts = await Promise.all(management.chunks.map(open));
    expect(management.chunks.length).toBeGreaterThan(3);
    expect(shown(Buffer.concat(texts).toString())).toEqual(Buffer.concat([bytes, bytes, bytes]));
  });
});

describe("best effort never gets in the way", () => {
  test.each([
    { name: "management is away", says: "away" as const },
    { name: "the store is away", says: "unavailable" as const },
    { name: "management refuses", says: "refused" as const },
  ])("while $name", async ({ says }) => {
    const { management, recorder } = aRecorder();
    management.says = says;
    const recording = await begun(recorder, aRequest());
    await until("it was tried", () => management.uploads > 0);
    for (let i = 0; i < 50; i++) expect(recording.output(Buffer.alloc(60_000, "x"), "stdout")).toBeNull();
    await recording.end();
    expect(recording.hasFailed).toBe(false);
  });

  test("and while its spool is full, where the recording is cut and says so", async () => {
    const { recorder } = aRecorder({ bounds: { personBytesMax: 1_000, allBytesMax: 1_000 } });
    const { events, evidence } = anEvidence();
    const recording = await begun(recorder, aRequest({ evidence }));
    for (let i = 0; i < 20; i++) recording.output(crypto.getRandomValues(new Uint8Array(30_000)), "stdout");
    await recording.end();
    expect(recording.hasFailed).toBe(false);
    expect(events.at(-1)).toMatchObject(["ended", { status: "cut", why: "spool_full" }]);
  });
});

describe("required fails closed", () => {
  test.each([
    { name: "management refuses a chunk", says: "refused" as const, why: "refused" },
    { name: "the share is used up", says: "full" as const, why: "refused" },
    { name: "management stays away", says: "away" as const, why: "management_away" },
    { name: "the store stays away", says: "unavailable" as const, why: "management_away" },
  ])("it fails when $name", async ({ says, why }) => {
    const limits = { bytesMax: 1_000, heldAfterMs: 10, failedAfterMs: 1_000 };
    const { management, recorder } = aRecorder({ limits });
    const recording = await begun(recorder, aRequest({ mode: "required" }));
    management.says = says;
    recording.output(Buffer.from("more"), "stdout");
    expect<string>(await recording.failed).toBe(why);
    expect(recording.hasFailed).toBe(true);
    await recording.end();
  });

  test.each([
    { name: "its spool is full", change: { bounds: { personBytesMax: 9_000, allBytesMax: 9_000 } } },
    { name: "its digests are not in evidence", refused: ["chunks"] },
    { name: "its end is not in evidence", refused: ["ended"] },
  ])("it fails when $name", async ({ change = {}, refused = [] }) => {
    const { recorder } = aRecorder(change);
    const { evidence } = anEvidence(refused);
    const recording = await begun(recorder, aRequest({ mode: "required", evidence }));
    for (let i = 0; i < 3; i++) recording.output(crypto.getRandomValues(new Uint8Array(30_000)), "stdout");
    await recording.end();
    expect(recording.hasFailed).toBe(true);
  });

  test("it fails when a shell reads lines unseen", async () => {
    const { recorder } = aRecorder();
    const { events, evidence } = anEvidence();
    const recording = await begun(recorder, aRequest({ mode: "required", evidence }));
    recording.attach({ modes: () => PROMPT, foreground: () => "bash" });
    recording.typed(Buffer.from("rm -rf /\r"), PROMPT, PROMPT);
    expect<string>(await recording.failed).toBe("unechoed");
    expect(events).toContainEqual(["unechoed", 1, "bash"]);
    await recording.end();
  });

  test("output is held while too much of it is not stored, and goes on when it is", async () => {
    const limits = { bytesMax: 100_000, heldAfterMs: 60_000, failedAfterMs: 60_000 };
    const { management, recorder } = aRecorder({ limits });
    const recording = await begun(recorder, aRequest({ mode: "required" }));
    management.says = "away";
    let held: Promise<void> | null = null;
    for (let i = 0; i < 10 && held === null; i++) held = recording.output(Buffer.alloc(50_000), "stdout");
    expect(held).not.toBeNull();
    management.says = null;
    await held;
    expect(recording.hasFailed).toBe(false);
    await recording.end();
    expect(management.end?.status).toBe("complete");
  });
});
