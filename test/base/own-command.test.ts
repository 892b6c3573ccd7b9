import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { isCompiled, ownCommand } from "../../src/base/own-command.ts";

test("from source, the command is Bun with the main file, whatever file was started", () => {
  const [file, ...rest] = ownCommand();
  expect(isCompiled()).toBe(false);
  expect(file).toBe(process.execPath);
  expect(rest.map((path) => path.replace(/^.*\/src\//, "src/"))).toEqual(["src/main.ts"]);
  expect([file, ...rest].every((path) => isAbsolute(path) && existsSync(path))).toBe(true);
});

test("the command starts this program", () => {
  const { exitCode, stdout } = Bun.spawnSync([...ownCommand(), "version"]);
  expect({ exitCode, name: stdout.toString().split(" ")[0] }).toEqual({ exitCode: 0, name: "qf" });
});

test.each([
  ["/$bunfs/root/qf", true],
  ["B:/~BUN/root/qf.exe", true],
  ["B:\\~BUN\\root\\qf.exe", true],
  ["/home/ada/$bunfs/main.ts", false],
  ["C:\\src\\main.ts", false],
  ["/src/~BUN/main.ts", false],
])("a main file at %p is of a built executable: %p", (main, want) => {
  expect(isCompiled(main)).toBe(want);
});
