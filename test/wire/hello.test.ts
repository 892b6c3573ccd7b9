import { expect, test } from "bun:test";
import { HELLO_BYTES_MAX, HELLO_PREFIX, Hello } from "../../src/wire/hello.ts";
import { testShape } from "../support/shapes.ts";

const hello = {
  source: "a".repeat(20),
  target: "b".repeat(20),
  port: 22,
  timeSeconds: 1_800_000_000,
  nonce: "n".repeat(22),
};

testShape("a hello", Hello, hello, {
  changes: [
    { source: "A".repeat(20) },
    { target: "b".repeat(19) },
    { port: 0 },
    { port: 65_536 },
    { port: "22" },
    { timeSeconds: -1 },
    { timeSeconds: 1.5 },
    { nonce: "n".repeat(21) },
    { nonce: `${"n".repeat(21)}=` },
    { nonce: undefined },
  ],
});

test("the longest hello fits into the line that is read", () => {
  const longest = { ...hello, port: 65_535, timeSeconds: 253_402_300_799 };
  const json = Buffer.from(JSON.stringify(longest)).toString("base64url");
  const line = `${HELLO_PREFIX}${json} ${"s".repeat(86)}\n`;
  expect(line.length).toBeLessThanOrEqual(HELLO_BYTES_MAX);
});
