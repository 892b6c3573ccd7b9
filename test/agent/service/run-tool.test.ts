import { expect, test } from "bun:test";
import { runTool, shellWord, tryTool } from "../../../src/agent/service/run-tool.ts";
import { isQfError } from "../../../src/base/errors.ts";

test("a program that fails, or is not there, is a failure with the hint", async () => {
  await runTool(["true"], "look there");
  for (const command of [["false"], ["/nowhere/program"]]) {
    const error = await runTool(command, "look there").catch((cause: unknown) => cause);
    expect(isQfError(error, "ERR_UNAVAILABLE") && error.hint).toBe("look there");
    expect(await tryTool(command)).toBe(false);
  }
});

test.each(["", "a b", "it's", "$(id) `id` \\", '"', "a\nb", "-n"])("%p is one word of a shell", (word) => {
  const { stdout } = Bun.spawnSync(["/bin/sh", "-c", `printf '<%s>' ${shellWord(word)}`]);
  expect(stdout.toString()).toBe(`<${word}>`);
});
