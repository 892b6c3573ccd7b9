import { expect, test } from "bun:test";
import { joinLine } from "../../../../src/dashboard/pages/machines/join-line.ts";

test("the key is a variable of the shell, and no argument", () => {
  const line = joinLine("qfk_x", "https://qf.example.com");
  expect(line).toStartWith("curl -fsSL https://qf.example.com/install.sh |");
  expect(line).toMatch(/\| QF_SETUP_KEY=qfk_x sh -s -- [^_]*$/);
});
