import { expect, test } from "bun:test";
import { NOUNS, SINGLE } from "../../../src/cli/commands.ts";
import { helpFlags } from "../../../src/cli/completion/help-flags.ts";
import { completeValue } from "../../../src/cli/completion/values.ts";

const asked: string[] = [];
const namesOf = async (kind: string) => {
  asked.push(kind);
  return [`a ${kind}`];
};

test.each([
  ["GROUP", "group"],
  ["GROUP,...", "group"],
  ["PEER", "peer"],
  ["USER", "user"],
  ["[USER@]HOST", "machine"],
  ["LOCAL-USER", "local-user"],
])("%s is asked for as %s", async (placeholder, kind) => {
  asked.length = 0;
  const { candidates } = await completeValue(placeholder, "", namesOf);
  expect([asked, candidates]).toEqual([[kind], [{ word: `a ${kind}` }]]);
});

test("a value of which nobody knows the names, and one after an assignment, asks for nothing", async () => {
  asked.length = 0;
  for (const [placeholder, typed] of [
    ["SECONDS", ""],
    ["NAME", "a"],
    ["USERS", ""],
    ["toString", ""],
  ]) {
    expect(await completeValue(placeholder ?? "", typed ?? "", namesOf)).toEqual({
      candidates: [],
      files: false,
    });
  }
  expect(asked).toEqual([]);
});

test("every flag of every command that takes a group, a user or a peer says so in its help", async () => {
  const verbs = [
    ...Object.values(SINGLE),
    ...Object.values(NOUNS).flatMap((noun) => Object.values(noun.verbs)),
  ];
  const flags = (await Promise.all(verbs.map(async (verb) => helpFlags((await verb.load()).help)))).flat();
  const about = flags.filter(({ names }) =>
    /^--(?:groups?|peers?|user|machine|sources)$/.test(names[0] ?? ""),
  );
  expect(about.length).toBeGreaterThan(10);
  for (const { names, placeholder = "" } of about) {
    const { candidates } = await completeValue(placeholder, "", namesOf);
    const isElsewhere = placeholder === "EMAIL" || placeholder === "HOST:PORT";
    expect({ names, count: candidates.length }).toEqual({ names, count: isElsewhere ? 0 : 1 });
  }
});
