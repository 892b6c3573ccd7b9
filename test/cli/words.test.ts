import { expect, test } from "bun:test";
import { describeUser } from "../../src/cli/words.ts";

test.each<[name: string, email: string, text: string]>([
  ["Ada", "ada@example.com", "Ada <ada@example.com>"],
  ["", "ada@example.com", "ada@example.com"],
  ["Ada", "", "Ada"],
  ["ada@example.com", "ada@example.com", "ada@example.com"],
  ["A\u001b[2Jda", "", "A [2Jda"],
])("%j with the address %j is described as %j", (name, email, text) => {
  expect(describeUser({ name, email })).toBe(text);
});
