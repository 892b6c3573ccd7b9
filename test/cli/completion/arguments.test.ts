import { expect, test } from "bun:test";
import { completeArguments, type Grammar } from "../../../src/cli/completion/arguments.ts";

const flag = { options: undefined, isRepeatable: false, about: "x" };
const GRAMMAR: Grammar = {
  flags: [
    { ...flag, names: ["-n", "--lines"], placeholder: "N" },
    { ...flag, names: ["--follow"], placeholder: undefined },
    { ...flag, names: ["--format"], placeholder: "FORMAT", options: ["csv", "jsonl"] },
    { ...flag, names: ["--group"], placeholder: "GROUP", isRepeatable: true },
  ],
  positionals: ["FILE", "GROUP"],
};
const namesOf = async () => ["Web"];

async function after(grammar: Grammar, ...words: string[]): Promise<string[]> {
  return (await completeArguments(grammar, words, namesOf)).candidates.map(({ word }) => word);
}

test.each<[words: string[], candidates: string[]]>([
  [["--"], ["--lines", "--follow", "--format", "--group", "--help"]],
  [
    ["--follow", "--lines=3", "--group", "Web", "-"],
    ["--format", "--group", "--help"],
  ],
  [["-n", ""], []],
  [["-n5", "f", "W"], ["Web"]],
  [
    ["--format", ""],
    ["csv", "jsonl"],
  ],
  [["--format=j"], ["--format=jsonl"]],
  [["--follow="], ["--follow=true", "--follow=false"]],
  [["--unknown="], []],
  [["f", ""], ["Web"]],
  [["--", "f", ""], ["Web"]],
  [["--", "--"], []],
  [["f", "Web", "x"], []],
])("%j is followed by %j", async (words, candidates) => {
  expect(await after(GRAMMAR, ...words)).toEqual(candidates);
});

test("where the rest belongs to another program, nothing of it is completed", async () => {
  const grammar = { ...GRAMMAR, endsAtFirst: true };
  expect(await after(grammar, "f", "")).toEqual([]);
  expect(await after(grammar, "f", "-")).toEqual([]);
  expect(await after(grammar, "-")).toContain("--follow");
});
