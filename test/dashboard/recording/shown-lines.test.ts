/** Lines, chapters and typed text of a recording. */
import { describe, expect, test } from "bun:test";
import type { CastEvent } from "../../../src/dashboard/recording/cast.ts";
import { findMoments, readShown } from "../../../src/dashboard/recording/shown-lines.ts";

const PROMPT = "deploy@web1:~$ ";
const shown = (...texts: string[]): CastEvent[] => texts.map((text, i) => [i, "o", text]);
const RETURN: CastEvent = [9, "m", "return"];
const chapters = (events: readonly CastEvent[]) => readShown(events).chapters.map(({ text }) => text);

describe("lines", () => {
  test.each([
    ["over several events", ["he", "llo\r\nworld\r\n"], ["hello", "world"]],
    ["without an end", ["hello"], ["hello"]],
    ["rewritten from the left", ["10 %\r20 %\r\n"], ["20 %"]],
    ["with colours", ["\u001b[31mred\u001b[0m\r\n"], ["red"]],
    ["with a tab", ["a\tb\r\n"], ["a       b"]],
    ["erased to their end", ["abcdef\u001b[3D\u001b[K!\r\n"], ["abc!"]],
    ["at other places of the screen", ["\u001b[2J\u001b[Hone\u001b[5;1Htwo"], ["one", "two"]],
    ["of a program with the whole screen", ["a\r\n\u001b[?1049hvim\u001b[?1049lb\r\n"], ["a", "b"]],
    ["in other scripts", ["héllo 日本 🙂\r\n"], ["héllo 日本 🙂"]],
  ])("%s", (_what, texts, lines) => {
    expect(readShown(shown(...texts)).lines.map(({ text }) => text)).toEqual(lines);
  });

  test("have the moment at which they began", () => {
    expect(readShown(shown("a", "b\r\nc", "d\r\n")).lines).toEqual([
      { seconds: 0, text: "ab" },
      { seconds: 1, text: "cd" },
    ]);
  });

  test("are bounded, each and all", () => {
    const { lines } = readShown([[0, "o", "x".repeat(50_000)]]);
    expect(lines[0]?.text.length).toBe(4_096);
    expect(readShown([[0, "o", "\u001b[999999999C!"]]).lines).toEqual([]);
  });
});

describe("chapters", () => {
  test.each([
    ["a command line", ["ls -la"], ["ls -la"]],
    ["one that was edited", ["ls -lx\b \ba"], ["ls -la"]],
    ["one with text put in before its end", ["ls\u001b[2D\u001b[2@w;"], ["w;ls"]],
    ["an empty one", [""], []],
    ["one with a sign of a prompt in it", ["echo '# no' > f"], ["echo '# no' > f"]],
  ])("%s", (_what, texts, titles) => {
    expect(chapters([...shown(PROMPT, ...texts), RETURN])).toEqual(titles);
  });

  test.each(["root@web1:~# ", "web1% ", "PS1> ", "❯ ", "[ada@web1 ~]$ "])("the prompt %j", (prompt) => {
    expect(chapters([...shown(prompt, "uptime"), RETURN])).toEqual(["uptime"]);
  });

  test("Return in a program with the whole screen begins none", () => {
    expect(chapters([...shown("\u001b[?1049hfile:1"), RETURN])).toEqual([]);
  });

  test("a line that the terminal itself showed is one", () => {
    expect(chapters([...shown(`${PROMPT}id`), [5, "i", "id\r"], ...shown("\r\nuid=0\r\n")])).toEqual(["id"]);
  });

  test("lines that were pasted, or typed ahead, are seen after their Return", () => {
    const pasted = shown("one\r\n", `output\r\n${PROMPT}`, "two\r\n", `$5 lost\r\n${PROMPT}`);
    expect(chapters([...shown(PROMPT), RETURN, RETURN, ...pasted])).toEqual(["one", "two"]);
  });

  test("an empty line takes the place of none that follows", () => {
    const lines = shown(`\r\n${PROMPT}`, `\r\n${PROMPT}`, "three\r\n");
    expect(chapters([...shown(PROMPT), RETURN, ...lines])).toEqual([]);
  });

  test("other marks are chapters by themselves", () => {
    expect(chapters([[3, "m", "1 line read unseen by sudo, 1.000 to 2.000"]])).toEqual([
      "1 line read unseen by sudo, 1.000 to 2.000",
    ]);
  });

  test("are bounded", () => {
    const many = Array.from({ length: 6_000 }, (): CastEvent[] => [
      ...shown("$ x"),
      RETURN,
      ...shown("\r\n"),
    ]).flat();
    expect(chapters(many)).toHaveLength(5_000);
    expect(chapters([...shown(PROMPT, "y".repeat(1_000)), RETURN])[0]?.length).toBe(200);
  });
});

test("what was typed is a line at a time, with control characters as people write them", () => {
  const { typed } = readShown([
    [1, "i", "he"],
    [2, "i", "llo\r"],
    [3, "i", "\u0003"],
    [4, "i", "\u007fx"],
  ]);
  expect(typed).toEqual([
    { seconds: 1, text: "hello⏎" },
    { seconds: 3, text: "^C^?x" },
  ]);
});

test.each([
  ["error", [1, 2]],
  ["ERROR:", [1]],
  ["  ", []],
  ["absent", []],
])("searching %j", (query, seconds) => {
  const lines = [
    { seconds: 1, text: "Error: no" },
    { seconds: 2, text: "an error" },
  ];
  expect(findMoments(lines, query).map((one) => one.seconds)).toEqual([...seconds]);
});
