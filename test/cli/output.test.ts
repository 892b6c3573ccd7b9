import { expect, test } from "bun:test";
import { tameJson } from "../../src/cli/output.ts";

test("JSON from elsewhere says the same, and cannot drive a terminal", () => {
  const value = { command: "ls \u009b2J\u001b]0;x\u0007 \u202egpj.exe \u2028 ä 語", rest: [1, null] };
  for (const json of [JSON.stringify(value), JSON.stringify(value, null, 2)]) {
    const tame = tameJson(`${json}\n`);
    expect(JSON.parse(tame)).toEqual(value);
    expect(tame).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
  }
});

test("what is no JSON, though it should be, cannot drive one either", () => {
  expect(tameJson("\u001b[2J{}")).toBe("\\u001b[2J{}");
});
