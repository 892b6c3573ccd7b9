/** Asciicasts as a page reads them: without what is no event, and without what would drive a terminal. */
import { expect, test } from "bun:test";
import { CastLines, resizedTo } from "../../../src/dashboard/recording/cast.ts";

const HEADER = JSON.stringify({ version: 2, width: 100, height: 30, timestamp: 1, qufabric: {} });

test("a header gives the size, and each line an event", () => {
  const lines = new CastLines();
  expect(lines.read(`${HEADER}\n[0.5, "o", "a"]\n[1, "i", "b"]\n`)).toEqual([
    [0.5, "o", "a"],
    [1, "i", "b"],
  ]);
  expect(lines.size).toEqual({ columns: 100, rows: 30 });
  expect(lines.read('[2, "r", "80x24"]\n[3, "m", "return"]\n')).toHaveLength(2);
});

test.each([
  ["no JSON", "[1, "],
  ["a time before the beginning", '[-1, "o", "a"]'],
  ["a time that is a text", '["1", "o", "a"]'],
  ["an unknown code", '[1, "x", "a"]'],
  ["a code of every object", '[1, "constructor", "a"]'],
  ["text that is none", '[1, "o", {"toString": 1}]'],
  ["null", "null"],
])("%s is passed over, and what follows is read", (_what, line) => {
  expect(new CastLines().read(`${line}\n[1, "o", "kept"]`)).toEqual([[1, "o", "kept"]]);
});

test.each([
  ["a title", "\u001b]0;pwned\u0007"],
  ["a clipboard", "\u001b]52;c;cHduZWQ=\u0007"],
  ["a link", "\u001b]8;;https://evil.example\u0007"],
  ["a device string", "\u001bP+q544e\u001b\\"],
  ["a question", "\u001b[6n"],
  ["an 8-bit title", "\u009d0;pwned\u009c"],
])("%s in what was shown is left out", (_what, bytes) => {
  const [event] = new CastLines().read(JSON.stringify([1, "o", `a${bytes}b`]));
  expect(event?.[2]).toBe("ab");
});

test("a sequence that two chunks share is left out as well", () => {
  const lines = new CastLines();
  const shown = ["a\u001b]0;pw", "ned\u0007b"].flatMap((text) => lines.read(JSON.stringify([1, "o", text])));
  expect(shown.map(([, , text]) => text)).toEqual(["a", "b"]);
});

test.each([
  ["80x24", { columns: 80, rows: 24 }],
  ["0x0", null],
  ["80", null],
  ["80x24x1", null],
  ["99999x99999", { columns: 500, rows: 200 }],
])("resized to %s", (text, size) => expect(resizedTo(text)).toEqual(size));

test("a header with a size that is none leaves the usual one", () => {
  const lines = new CastLines();
  lines.read('{"width": 0, "height": "x"}');
  expect(lines.size).toEqual({ columns: 80, rows: 24 });
});
