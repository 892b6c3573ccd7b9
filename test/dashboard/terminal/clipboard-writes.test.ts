import { describe, expect, test } from "bun:test";
import { ClipboardWrites, clipboardText } from "../../../src/dashboard/terminal/clipboard-writes.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

test.each<[what: string, data: string, text: string | null]>([
  ["text", `c;${base64("grün 日本")}`, "grün 日本"],
  ["the primary selection", `p;${base64("a")}`, "a"],
  ["no selection named", `;${base64("a")}`, "a"],
  ["what a terminal would act on", `c;${base64("a\u001b[201~\u0003b\tc\nd")}`, "a[201~b\tc\nd"],
  ["a question for the clipboard", "c;?", null],
  ["nothing", "c;", null],
  ["control characters alone", `c;${base64("\u0003\u001b")}`, null],
  ["no semicolon", base64("a"), null],
  ["what is no base64", "c;%%%", null],
  ["what is no UTF-8", `c;${Buffer.from([0xff, 0xfe]).toString("base64")}`, null],
  ["too much", `c;${"AAAA".repeat(30_000)}`, null],
])("clipboardText of %s", (_what, data, text) => {
  expect(clipboardText(data)).toBe(text);
});

describe("ClipboardWrites", () => {
  function open(mayAsk = true) {
    const [asked, written]: [string[], string[]] = [[], []];
    const writes = new ClipboardWrites({
      ask: (text) => mayAsk && asked.push(text) > 0,
      write: async (text) => void written.push(text),
    });
    return { writes, asked, written };
  }

  test("asks once, and writes from then on when it was allowed", async () => {
    const { writes, asked, written } = open();
    writes.onText("a");
    writes.onText("b");
    expect([asked, written]).toEqual([["a"], []]);
    await writes.allow("a");
    writes.refuse();
    writes.onText("c");
    expect([asked, written]).toEqual([["a"], ["a", "c"]]);
  });

  test("writes nothing after a no, and does not ask again", () => {
    const { writes, asked, written } = open();
    writes.onText("a");
    writes.refuse();
    writes.onText("b");
    expect([asked, written]).toEqual([["a"], []]);
  });

  test("a question that cannot be shown is not taken for an answer", () => {
    const { writes, asked, written } = open(false);
    writes.onText("a");
    writes.refuse();
    expect([asked, written]).toEqual([[], []]);
  });
});
