import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ScreenFilter } from "../../src/recording/screen-filter.ts";

const ESC = "\u001b";
const filtered = (text: string) => new ScreenFilter().filter(text);

describe("what draws gets through as it is", () => {
  test.each([
    "plain text\r\n\ttab",
    "grüße 漢字 😀",
    `${ESC}[31;1mred${ESC}[0m`,
    `${ESC}[38;2;255;128;0mtrue colour${ESC}[m`,
    `${ESC}[38:2::1:2:3m`,
    `${ESC}[2J${ESC}[H${ESC}[10;20H${ESC}[K${ESC}[3A`,
    `${ESC}[?1049h${ESC}[?25l${ESC}[?7h${ESC}[?1049l`,
    `${ESC}[5;20r${ESC}M${ESC}D${ESC}7${ESC}8`,
    `${ESC}(0lqqk${ESC}(B`,
    `${ESC}[4h${ESC}[4l${ESC}[2 q`,
  ])("%j", (text) => {
    expect(filtered(text)).toBe(text);
    const filter = new ScreenFilter();
    expect([...text].map((character) => filter.filter(character)).join("")).toBe(text);
  });
});

describe("what a terminal would answer, keep or act on does not", () => {
  test.each([
    { name: "a title", text: `${ESC}]0;owned\u0007`, want: "" },
    { name: "a title ended by ST", text: `${ESC}]2;owned${ESC}\\after`, want: "after" },
    { name: "the clipboard", text: `a${ESC}]52;c;cm0gLXJm\u0007b`, want: "ab" },
    { name: "a link", text: `${ESC}]8;;https://evil.example${ESC}\\text${ESC}]8;;${ESC}\\`, want: "text" },
    { name: "a device string", text: `${ESC}P$q"p${ESC}\\`, want: "" },
    { name: "a sixel image", text: `${ESC}Pq#0;2;0;0;0${ESC}\\x`, want: "x" },
    { name: "a kitty image", text: `${ESC}_Gf=24;AAAA${ESC}\\`, want: "" },
    { name: "a privacy message", text: `${ESC}^rm${ESC}\\`, want: "" },
    { name: "a start of string", text: `${ESC}Xrm${ESC}\\`, want: "" },
    { name: "a question for the cursor", text: `${ESC}[6n`, want: "" },
    { name: "a question for the device", text: `${ESC}[c${ESC}[>c${ESC}[=c${ESC}Z`, want: "" },
    { name: "a question for a mode", text: `${ESC}[?25$p`, want: "" },
    { name: "a question for a checksum", text: `${ESC}[1;1;1;1;1;1*y`, want: "" },
    { name: "answer-back", text: "\u0005", want: "" },
    { name: "a window operation", text: `${ESC}[21t${ESC}[8;1;1t`, want: "" },
    { name: "printing", text: `${ESC}[5i`, want: "" },
    { name: "the mouse", text: `${ESC}[?1000h${ESC}[?1006h`, want: "" },
    { name: "bracketed paste", text: `${ESC}[?2004h`, want: "" },
    { name: "focus reports", text: `${ESC}[?1004h`, want: "" },
    { name: "one wanted mode among others", text: `${ESC}[?25;1000h`, want: `${ESC}[?25h` },
    { name: "key encodings", text: `${ESC}[>4;2m${ESC}[>1u`, want: "" },
    { name: "8-bit control strings", text: "a\u009d0;x\u009cb\u0090x\u009cc\u009b6nd", want: "abcd" },
    { name: "a reset", text: `${ESC}c`, want: `${ESC}[0m${ESC}[r${ESC}[2J${ESC}[H` },
    { name: "an endless sequence", text: `${ESC}[${"1;".repeat(1_000)}m`, want: "" },
    { name: "a string within a sequence", text: `${ESC}[1${ESC}]0;x\u0007m`, want: "m" },
    { name: "a control within a sequence", text: `${ESC}[3\u00051m`, want: `${ESC}[31m` },
    { name: "a byte that is no text", text: "a\udcffb", want: "a\ufffdb" },
  ])("$name", ({ text, want }) => {
    expect(filtered(text)).toBe(want);
  });
});

test("whatever comes, in whatever pieces, only allowed sequences leave", () => {
  const hostile = fc.string({
    unit: fc.constantFrom(
      ...`${ESC}${ESC}[[]P_^X\\;?>=<0125cnthlmpqrtuyi$*! \u0007\u0005\u009b\u009d\u0090\u009cab`,
    ),
    maxLength: 60,
  });
  const allowed = new RegExp(
    [
      /[\u0007-\u000f\u0020-\u007e]/,
      /\u001b\[[\d;:]*[@A-MPST XZ`abd-gjmr]/,
      /\u001b\[4[hl]/,
      /\u001b\[[\d;:]* q/,
      /\u001b\[\?(?:(?:1|6|7|25|47|104[789]|2026)(?:;(?=\d)|(?=[hl])))+[hl]/,
      /\u001b[78DEHM=>]/,
      /\u001b[()*+][0AB]/,
    ]
      .map(({ source }) => source)
      .join("|"),
    "y",
  );
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 4 }), (pieces) => {
      const filter = new ScreenFilter();
      const shown = pieces.map((piece) => filter.filter(piece)).join("");
      expect(shown).toBe(new ScreenFilter().filter(pieces.join("")));
      allowed.lastIndex = 0;
      while (allowed.lastIndex < shown.length)
        if (!allowed.test(shown)) throw new Error(JSON.stringify(shown));
    }),
    { numRuns: 2_000 },
  );
});
