import { describe, expect, test } from "bun:test";
import type { Command } from "../../src/cli/command.ts";
import { NOUNS, SINGLE } from "../../src/cli/commands.ts";
import { nounHelp, topHelp } from "../../src/cli/help.ts";
import type { Verb } from "../../src/cli/noun.ts";
import { SSH_HELP } from "../../src/ssh/help.ts";

const verbs: [words: string, verb: Verb][] = [
  ...Object.entries(SINGLE),
  ...Object.entries(NOUNS).flatMap(([noun, { verbs }]) =>
    Object.entries(verbs).map(([verb, entry]): [string, Verb] => [`${noun} ${verb}`, entry]),
  ),
];

function flagsOf({ args }: Command): string[] {
  return Object.entries(args)
    .filter(([, definition]) => definition.type !== "positional")
    .map(([name, definition]) =>
      definition.type === "boolean" && definition.negativeDescription !== undefined
        ? `--no-${name}`
        : `--${name}`,
    );
}

describe.each(verbs)("qf %s --help", (words, verb) => {
  test("names every flag that is taken, and none that is not", async () => {
    const command = await verb.load();
    const options = command.help.slice(command.help.indexOf("\n\n"), command.help.indexOf("\n\nexamples:"));
    const told = [...options.matchAll(/^ {2}(?:-[a-z], )?(--[a-z-]+)/gm)].map(([, flag]) => flag ?? "");
    expect(told.sort()).toEqual(flagsOf(command).sort());
  });

  test("says purpose, usage and examples, in lines that fit a page", async () => {
    const { help } = await verb.load();
    expect(help).toMatch(/^[A-Z]/);
    expect(help).toContain(`\nusage: qf ${words}`);
    const examples = help.split("\n\nexamples:\n")[1] ?? "";
    expect([...examples.matchAll(/(?:^ {2}|\| )qf /gm)].length).toBeGreaterThanOrEqual(2);
    for (const line of help.split("\n")) expect(line.length).toBeLessThanOrEqual(110);
    expect(help.endsWith("\n")).toBe(true);
    expect(/^[\x20-\x7e\n]*$/.test(help)).toBe(true);
  });

  test("describes an option on its own line or begins on the next, never out of its column", async () => {
    const { help } = await verb.load();
    const options = help.split("\n\noptions:\n")[1]?.split("\n\n")[0] ?? "";
    const columns = [...options.matchAll(/^ {2}(-\S(?:\S| (?! ))*) {2,}\S/gm)].map(
      ([line]) => line.length - 1,
    );
    expect(new Set(columns).size).toBeLessThanOrEqual(1);
  });
});

test("lists name every noun and verb", () => {
  const top = topHelp();
  for (const noun of [...Object.keys(NOUNS), ...Object.keys(SINGLE), "ssh"])
    expect(top).toContain(`\n  ${noun} `);
  for (const [name, noun] of Object.entries(NOUNS)) {
    for (const verb of Object.keys(noun.verbs)) expect(nounHelp(name, noun)).toContain(`\n  ${verb} `);
  }
  expect(SSH_HELP).toContain("usage: qf ssh");
});
