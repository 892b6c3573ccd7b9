/**
 * Commands in the documents: each is one that `qf` takes as it stands, and each block of them has a mark, an
 * HTML comment before it: the test that runs it, such as `test/e2e/documents.test.ts`, or why none does.
 */
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isQfError } from "../../src/base/errors.ts";
import { splitLine } from "../../src/cli/completion/command-line.ts";
import { checkArgs } from "../../src/cli/strict-args.ts";
import { parseSshArgv } from "../../src/ssh/argv.ts";
import { mentionsIn, verbOf } from "./command-mentions.ts";
import { documents, ROOT, type ShellBlock, shellBlocks } from "./documents.ts";

const BLOCKS = documents()
  .filter(({ path }) => path === "README.md" || path.startsWith("docs/"))
  .flatMap(shellBlocks);
const MARK = /^(?:run by (test\/[\w./-]+(?:, test\/[\w./-]+)*)(?:[:,] .+)?|not run: .+)$/;
const isOutput = ({ mark }: ShellBlock): boolean =>
  /^not run: (?:what a command prints|a configuration)/.test(mark ?? "");

/** The commands of `qf` in a line: after a pipe and in a list too, without redirections and comments. */
function commandsOf(line: string): string[][] {
  return line
    .replace(/ +# .*$/, "")
    .split(/ (?:\||&&|\|\|) |; /)
    .map((part) => /(?:^|[ (])qf (?=[a-z])(.*)$/.exec(part)?.[1])
    .filter((rest) => rest !== undefined)
    .map((rest) => splitLine(rest.replace(/ [<>] ?\S+$/, "").replace(/\)$/, "")).words.filter(Boolean));
}

async function faultOf([first = "", ...rest]: readonly string[]): Promise<string | null> {
  try {
    if (first === "ssh") parseSshArgv(rest);
    else if (first !== "proxy") {
      const short = verbOf(first);
      const verb = short ?? verbOf(`${first} ${rest[0]}`);
      if (verb === undefined) return `there is no qf ${first} ${rest[0]}`;
      checkArgs(await verb.load(), short === undefined ? rest.slice(1) : rest);
    }
    return null;
  } catch (error) {
    if (!isQfError(error, "ERR_USAGE")) throw error;
    return error.message;
  }
}

test("every command of a document is complete: its arguments, flags and the values of choices are taken", async () => {
  let count = 0;
  const faults: string[] = [];
  for (const block of BLOCKS.filter((one) => !isOutput(one))) {
    for (const command of block.commands.flatMap(commandsOf)) {
      count += 1;
      const fault = await faultOf(command);
      if (fault !== null) faults.push(`${block.path}:${block.line}: qf ${command.join(" ")}: ${fault}`);
    }
  }
  expect(faults).toEqual([]);
  expect(count).toBeGreaterThan(130);
});

test.each([
  ["qf user create", "EMAIL|NAME is missing"],
  ["qf policy create x --sources A", "--destinations is missing"],
  ["qf policy create x --sources A --destinations B --action no", "--action must be one of accept, drop"],
  ["qf group list Servers", 'unexpected argument "Servers"'],
  ["true && qf peer eject web1", "there is no qf peer eject"],
  ["qf ssh -Z web1", "option -Z is not available"],
])("%j would be found", async (line, fault) => {
  expect(await Promise.all(commandsOf(line).map(faultOf))).toEqual([fault]);
});

test("every block has a mark: a test that is there and that speaks of each command, or why it is not run", () => {
  const wrong = BLOCKS.flatMap(({ path, line, mark = "", commands }) => {
    const [isMark, names] = MARK.exec(mark) ?? [];
    if (isMark === undefined)
      return [`${path}:${line}: ${mark || "has no mark; the header here says which"}`];
    const files = names?.split(", ") ?? [];
    const gone = files.filter((file) => !existsSync(join(ROOT, file)));
    if (gone.length > 0) return gone.map((file) => `${path}:${line}: there is no ${file}`);
    if (files.includes("test/e2e/documents.test.ts")) return [];
    const text = files.map((file) => readFileSync(join(ROOT, file), "utf8")).join("\n");
    return files.length === 0 ? [] : unspoken(commands, text).map((word) => `${path}:${line}: ${word}`);
  });
  expect(wrong).toEqual([]);
});

/** Commands of which a test does not have the last word, in quotes as an argument or in a line of a shell. */
function unspoken(commands: readonly string[], text: string): string[] {
  return commands
    .flatMap((command) => mentionsIn(command, true))
    .map(({ words }) => words.split(" ").at(-1) ?? "")
    .filter((word) => !new RegExp(`["'\`]${word}["'\` ]|\\bqf (?:[a-z-]+ )?${word}\\b`).test(text));
}
