import { expect, test } from "bun:test";
import {
  AGENT_MESSAGE_BYTES_MAX,
  AGENT_PART_BYTES_MAX,
  createAgentParts,
  splitAgentMessage,
} from "../../src/wire/agent-parts.ts";

const whole = (parts: readonly string[]): string | null | undefined => {
  const taking = createAgentParts();
  return parts.map((part) => taking.take(part)).at(-1);
};

test.each([
  ["a short one", { type: "ping", text: "grüße" }, 1],
  ["one that just fits", "x".repeat(AGENT_PART_BYTES_MAX - 2), 1],
  ["one that just does not", "x".repeat(AGENT_PART_BYTES_MAX - 1), 2],
  ["one of many parts", { text: "x".repeat(1_000_000) }, 8],
  ["one that is no ASCII", { text: "grüße 😀 \u2028 ".repeat(50_000) }, undefined],
])("a message comes out as it went in: %s", (_what, message, count) => {
  const parts = splitAgentMessage(JSON.stringify(message));
  if (count !== undefined) expect(parts).toHaveLength(count);
  expect(Math.max(...parts.map((part) => Buffer.byteLength(part)))).toBeLessThanOrEqual(AGENT_PART_BYTES_MAX);
  expect(JSON.parse(String(whole(parts)))).toEqual(message);
});

test("messages follow each other", () => {
  const taking = createAgentParts();
  const parts = ["+ab", "+cd", "e", "f", "+g", "h"].map((part) => taking.take(part));
  expect(parts).toEqual([null, null, "abcde", "f", null, "gh"]);
});

test.each(["alone", "after another part"])("a part beyond its bound is refused: %s", (where) => {
  const taking = createAgentParts();
  if (where !== "alone") expect(taking.take("+{")).toBeNull();
  expect(taking.take("ü".repeat(AGENT_PART_BYTES_MAX / 2 + 1))).toBeUndefined();
});

test("what grows beyond the bound is refused", () => {
  const taking = createAgentParts();
  const part = `+${"x".repeat(AGENT_PART_BYTES_MAX - 1)}`;
  const times = AGENT_MESSAGE_BYTES_MAX / AGENT_PART_BYTES_MAX;
  for (let i = 0; i < times; i++) expect(taking.take(part)).toBeNull();
  expect(taking.take(part)).toBeUndefined();
});
