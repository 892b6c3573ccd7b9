import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { bashWords, splitLine } from "../../../src/cli/completion/command-line.ts";

const BREAKS = " \t\n\"'@><=;|&(:";

test.each<[line: string, words: string[], quote: string]>([
  ["qf ", ["qf", ""], ""],
  ["qf  user\tup", ["qf", "user", "up"], ""],
  ["qf a\\ b", ["qf", "a b"], ""],
  ['qf \'a "b\' "c\'\\"d" e', ["qf", 'a "b', "c'\"d", "e"], ""],
  ['qf "a b', ["qf", "a b"], '"'],
  ["qf 'a\\", ["qf", "a\\"], "'"],
  ["qf ''", ["qf", ""], ""],
  ["qf a\\", ["qf", "a"], ""],
])("%j is taken apart", (line, words, quote) => {
  expect(splitLine(line)).toMatchObject({ words, quote });
});

describe("a word for bash", () => {
  test.each<[line: string, word: string, written: string[]]>([
    ["qf D", "Dev Team", ["Dev\\ Team"]],
    ["qf ", "$(reboot)`x`;'", ["\\$\\(reboot\\)\\`x\\`\\;\\'"]],
    ["qf ", "Büro~", ["Büro\\~"]],
    ['qf "D', 'Dev "$x"', ['Dev \\"\\$x\\"']],
    ['qf "D', "Done!", []],
    ["qf 'D", "Dev $x", ["Dev $x"]],
    ["qf 'D", "D's", []],
    ["qf --groups=D", "--groups=Dev", ["Dev"]],
    ["qf --groups='D", "--groups=Dev s", ["Dev s"]],
    ["qf ada@e", "ada@example.com", ["example.com"]],
  ])("%j, %j", (line, word, written) => {
    expect(bashWords([{ word }], splitLine(line), BREAKS)).toEqual(written);
  });

  test("is whole where the shell breaks words at blanks only", () => {
    expect(bashWords([{ word: "ada@example.com" }], splitLine("qf ada@e"), " \t\n")).toEqual([
      "ada@example.com",
    ]);
  });

  test("is read back by a shell as it was, and runs nothing", () => {
    const words = fc.sample(fc.string({ minLength: 1 }), { numRuns: 60, seed: 13 });
    const shown = words.map((word) => word.replace(/[\0-\x1f\x7f]/g, "_"));
    const script = shown.map(
      (word) => `printf '%s\\n' ${bashWords([{ word }], splitLine("qf "), BREAKS)[0]}`,
    );
    const { stdout } = Bun.spawnSync(["bash", "-c", script.join("\n")]);
    expect(stdout.toString()).toBe(shown.map((word) => `${word}\n`).join(""));
  });
});
