import { expect, test } from "bun:test";
import { CastReader, CastWriter, CHUNK_TEXT_BYTES_MAX } from "../../src/recording/cast.ts";
import type { CastHeader } from "../../src/wire/recording.ts";

const HEADER: CastHeader = { version: 2, width: 80, height: 24, timestamp: 1_800_000_000 };

function written(write: (writer: CastWriter) => void): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const writer = new CastWriter(HEADER, (chunk) => chunks.push(Uint8Array.from(chunk)));
  write(writer);
  writer.flush();
  return chunks;
}

const textOf = (chunks: readonly Uint8Array[]) => Buffer.concat(chunks).toString();

test("a recording is a header and a line of JSON for each event", () => {
  const chunks = written((writer) => {
    writer.event(0.5, "o", "one\r\n");
    writer.event(1.25, "r", "100x30");
  });
  expect(textOf(chunks).split("\n")).toEqual([
    JSON.stringify(HEADER),
    '[0.500000, "o", "one\\r\\n"]',
    '[1.250000, "r", "100x30"]',
    "",
  ]);
});

test("chunks are whole lines, within their bound, and what was written comes back in order", () => {
  const shown = ["x".repeat(200_000), "\u0001".repeat(70_000), "😀".repeat(40_000), "end"];
  const chunks = written((writer) => {
    for (const text of shown) writer.event(1, "o", text);
  });
  for (const chunk of chunks) {
    expect(chunk.length).toBeLessThanOrEqual(CHUNK_TEXT_BYTES_MAX);
    expect(chunk.at(-1)).toBe(10);
  }
  const reader = new CastReader();
  const events = chunks.flatMap((chunk) => reader.read(Buffer.from(chunk).toString()));
  expect(reader.header).toEqual(HEADER);
  expect(events.map(([, , text]) => text).join("")).toBe(shown.join(""));
  expect(events.every(([, , text]) => text.isWellFormed())).toBe(true);
});

test.each([
  { name: "text", text: "x".repeat(32_768) },
  {
    name: "lines in colours",
    text: "\u001b[32minfo\u001b[0m request 1234567890 of 1234567890 done\n".repeat(600),
  },
  { name: "a little at a time", text: "a few words\r\n" },
])("chunks are filled: $name", ({ text }) => {
  const chunks = written((writer) => {
    for (let characters = 0; characters < 2_000_000; characters += text.length) writer.event(1, "o", text);
  });
  for (const chunk of chunks.slice(0, -1)) expect(chunk.length).toBeGreaterThan(0.75 * CHUNK_TEXT_BYTES_MAX);
});

test("lines that come in pieces, and lines of a newer writer, are read", () => {
  const reader = new CastReader();
  const whole = `${JSON.stringify(HEADER)}\n[1, "o", "a"]\n{"later": true}\n[2, "z", "b"]\n`;
  const events = [...whole].flatMap((character) => reader.read(character));
  expect(events).toEqual([
    [1, "o", "a"],
    [2, "z", "b"],
  ]);
});

test("a line without an end is passed over and not kept, and those after it are read", () => {
  const reader = new CastReader();
  const piece = "x".repeat(50_000);
  for (let i = 0; i < 10; i++) expect(reader.read(piece)).toEqual([]);
  expect(reader.read('[1, "o", "no line of its own"]\n[2, "o", "after"]\n[3, "o", ')).toEqual([
    [2, "o", "after"],
  ]);
  expect(reader.read('"in pieces"]\n')).toEqual([[3, "o", "in pieces"]]);
  // Each with the beginning of an event that would be one if the rest had been kept.
  for (const begun of ['[4, "o", "', piece, piece]) expect(reader.read(begun)).toEqual([]);
  expect(reader.read('"]\n[5, "o", "b"]\n')).toEqual([[5, "o", "b"]]);
});
