import { expect, test } from "bun:test";
import { createEscapeFilter } from "../../src/ssh/escape.ts";

test.each<[typed: string[], sent: string, asks: string[]]>([
  [["ls\r"], "ls\r", []],
  [["~."], "", ["end"]],
  [["ls\r~."], "ls\r", ["end"]],
  [["ls\n", "~", "."], "ls\n", ["end"]],
  [["ls ~."], "ls ~.", []],
  [["~~"], "~", []],
  [["~~."], "~.", []],
  [["~x"], "~x", []],
  [["~?"], "", ["help"]],
  [["~?~."], "", ["help", "end"]],
  [["~x\r~."], "~x\r", ["end"]],
  [["\r~.rest"], "\r", ["end"]],
])("createEscapeFilter makes of %p", (typed, sent, asks) => {
  const filter = createEscapeFilter("~");
  const steps = typed.map((text) => filter(Buffer.from(text)));
  expect(Buffer.concat(steps.map((step) => step.send)).toString()).toBe(sent);
  expect<string[]>(steps.flatMap((step) => [...step.asks])).toEqual(asks);
});

test("createEscapeFilter lets everything through without an escape character", () => {
  expect(createEscapeFilter(null)(Buffer.from("\r~.")).send.toString()).toBe("\r~.");
});
