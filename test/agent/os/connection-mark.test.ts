import { expect, test } from "bun:test";
import { isConnectionMark, newConnectionMark } from "../../../src/agent/os/connection-mark.ts";

test("each connection has a mark of its own", () => {
  const marks = Array.from({ length: 100 }, newConnectionMark);
  expect(new Set(marks).size).toBe(100);
  expect(marks.every(isConnectionMark)).toBe(true);
});

const mark = newConnectionMark();
test.each([
  ["nothing", ""],
  ["text", "SSH_CONNECTION"],
  ["another tag", `${mark.slice(0, 32)}${"0".repeat(32)}`],
  ["another nonce", `${"0".repeat(32)}${mark.slice(32)}`],
  ["one that was cut", mark.slice(0, -2)],
  ["one with more behind it", `${mark}00`],
  ["one in capitals with a letter that is no digit", `${mark.slice(0, -1)}g`],
])("%s is no mark of ours", (_name, text) => {
  expect(isConnectionMark(text)).toBe(false);
});
