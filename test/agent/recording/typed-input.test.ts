import { describe, expect, test } from "bun:test";
import type { TerminalModes } from "../../../src/agent/contracts/recorder.ts";
import { TypedInput } from "../../../src/agent/recording/typed-input.ts";

const SHOWN: TerminalModes = { echo: true, lines: true };
const PROMPT: TerminalModes = { echo: false, lines: true };
const EDITOR: TerminalModes = { echo: false, lines: false };

function aTerminal(foreground = "sudo") {
  const kept: string[] = [];
  const marks: string[] = [];
  const unechoed: [number, string][] = [];
  let seconds = 0;
  const input = new TypedInput({
    input: (text) => kept.push(text),
    mark: (text) => marks.push(text),
    unechoed: (lines, program) => unechoed.push([lines, program]),
    seconds: () => ++seconds,
    foreground: () => foreground,
  });
  return {
    ...{ kept, marks, unechoed, input },
    type: (text: string, before = SHOWN, after = before) => input.typed(Buffer.from(text), before, after),
    show: (text: string, modes = SHOWN) => input.shown(Buffer.from(text), modes),
  };
}

describe("what the terminal shows is kept", () => {
  test.each<{ name: string; typed: string[]; shown: string[]; kept: string[] }>([
    { name: "a line at once", typed: ["ls -la\r"], shown: ["ls -la\r\n"], kept: ["ls -la\r"] },
    { name: "key by key", typed: ["l", "s", "\r"], shown: ["l", "s\r\n"], kept: ["l", "s", "\r"] },
    { name: "UTF-8", typed: ["grüße €\r"], shown: ["grüße €\r\n"], kept: ["grüße €\r"] },
    { name: "among other output", typed: ["yes\r"], shown: ["...50%\r\n", "yes\r\n"], kept: ["yes\r"] },
    { name: "an echo in two pieces", typed: ["hello"], shown: ["hel", "lo"], kept: ["hello"] },
    { name: "control characters", typed: ["\u0003"], shown: [], kept: ["\u0003"] },
  ])("$name", ({ typed, shown, kept }) => {
    const terminal = aTerminal();
    for (const text of typed) terminal.type(text);
    for (const text of shown) terminal.show(text);
    expect(terminal.kept).toEqual(kept);
    expect(terminal.marks).toEqual([]);
  });
});

describe("what the terminal does not show is forgotten", () => {
  test("at a prompt for a password, whose span is marked with its program", () => {
    const terminal = aTerminal("sudo");
    terminal.type("hunter2\r", PROMPT);
    terminal.show("\r\nroot#", SHOWN);
    expect(terminal.kept).toEqual([]);
    expect(terminal.marks).toEqual(["1 line read unseen by sudo, 1.000 to 2.000"]);
    expect(terminal.unechoed).toEqual([]);
  });

  test("in a line editor, ssh, tmux or an editor, where only Return is marked", () => {
    const terminal = aTerminal("ssh");
    terminal.type("hunter2\r", EDITOR);
    terminal.show("hunter2\r\n", EDITOR);
    expect(terminal.kept).toEqual([]);
    expect(terminal.marks).toEqual(["return"]);
  });

  test.each([
    { name: "ECHO goes off while it is written", before: SHOWN, after: PROMPT },
    { name: "ECHO goes on while it is written", before: PROMPT, after: SHOWN },
    { name: "an editor comes up while it is written", before: SHOWN, after: EDITOR },
  ])("where $name", ({ before, after }) => {
    const terminal = aTerminal();
    terminal.type("hunter2\r", before, after);
    terminal.show("hunter2\r\n", SHOWN);
    expect(terminal.kept).toEqual([]);
  });

  test("where ECHO is off by the time of the next output, whatever that says", () => {
    const terminal = aTerminal();
    terminal.type("h");
    terminal.show("[sudo] password for ada: h", PROMPT);
    terminal.show("h", SHOWN);
    expect(terminal.kept).toEqual([]);
    expect(terminal.marks).toEqual(["typed and not shown"]);
  });

  test("where no echo comes, however much is shown", () => {
    const terminal = aTerminal();
    terminal.type("hunter2\r");
    terminal.show("x".repeat(20_000));
    terminal.show("hunter2\r\n");
    expect(terminal.kept).toEqual([]);
    expect(terminal.marks).toEqual(["typed and not shown"]);
    expect(terminal.input.isWaiting).toBe(false);
  });

  test("where only a part of it is shown", () => {
    const terminal = aTerminal();
    terminal.type("hunter2\r");
    terminal.show("******\r\nhunter\r\n");
    terminal.input.end();
    expect(terminal.kept).toEqual([]);
  });
});

describe("lines that are read unseen", () => {
  test.each<{ name: string; program: string; lines: number; reported: [number, string][] }>([
    { name: "eight by a program", program: "passwd", lines: 8, reported: [] },
    { name: "nine by a program", program: "passwd", lines: 9, reported: [[9, "passwd"]] },
    { name: "one by bash", program: "bash", lines: 1, reported: [[1, "bash"]] },
    { name: "one by a login shell", program: "-sh", lines: 1, reported: [[1, "-sh"]] },
    { name: "one by python3.11", program: "python3.11", lines: 1, reported: [[1, "python3.11"]] },
    { name: "one by ssh", program: "ssh", lines: 1, reported: [] },
  ])("$name", ({ program, lines, reported }) => {
    const terminal = aTerminal(program);
    for (let i = 0; i < lines; i++) terminal.type("word\r", PROMPT);
    expect(terminal.unechoed).toEqual(reported);
  });

  test("are reported once in a row, and again in the next one", () => {
    const terminal = aTerminal("bash");
    terminal.type("a\r", PROMPT);
    terminal.type("b\r", PROMPT);
    terminal.type("\r", SHOWN);
    terminal.type("c\r", PROMPT);
    expect(terminal.unechoed).toEqual([
      [1, "bash"],
      [1, "bash"],
    ]);
  });
});
