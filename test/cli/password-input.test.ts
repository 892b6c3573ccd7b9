import { expect, test } from "bun:test";
import { resolve } from "node:path";

const MODULE = resolve(import.meta.dir, "../../src/cli/password-input.ts");

/** What a program of ours reads from `typed`. */
async function read(typed: string): Promise<string> {
  const program = `import { linesFromStdin } from ${JSON.stringify(MODULE)};
    console.log(JSON.stringify(await linesFromStdin(2, "qf x").catch((error) => error.code)));`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdin: Buffer.from(typed), stdout: "pipe" });
  return JSON.parse(await new Response(child.stdout).text());
}

test.each([
  ["old\nnew\n", ["old", "new"]],
  ["old\r\nnew\r\nmore", ["old", "new"]],
  [" spaces stay \n", [" spaces stay ", ""]],
  ["", ["", ""]],
  ["x".repeat(5_000), "ERR_USAGE"],
])("of %p", async (typed, lines) => {
  expect(await read(typed)).toEqual(lines as never);
});
