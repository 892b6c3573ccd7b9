/** Text of policy files: what is taken, and one sentence for each thing that is not. */
import { describe, expect, test } from "bun:test";
import { isQfError } from "../../src/base/errors.ts";
import { parsePolicyText } from "../../src/wire/policy-text.ts";

const RULE = "{sources: [a], destinations: [b]}";

function refusalOf(text: string): { code: string; message: string } | null {
  try {
    parsePolicyText(text);
    return null;
  } catch (error) {
    if (!isQfError(error)) throw error;
    return { code: error.code, message: error.message };
  }
}

describe("is taken", () => {
  const rows: [name: string, text: string][] = [
    ["block style with comments", `policies: # all\n  - name: a # one\n    rules:\n      - ${RULE}\n`],
    ["JSON", `{"policies": [{"name": "a", "rules": [{"sources": ["a"], "destinations": ["b"]}]}]}`],
    ["JSON that is indented with tabs", `{\n\t"groups": {\n\t\t"web": {}\n\t}\n}`],
    ["Windows line ends and a byte order mark", "\ufeffgroups:\r\n  web: {}\r\n"],
    ["words that YAML 1.1 took for booleans", "groups: {yes: {}, no: {}, on: {}}"],
    ["a group without settings", "groups:\n  web:\n"],
  ];
  test.each(rows)("%s", (_, text) => {
    expect(refusalOf(text)).toBeNull();
  });
});

describe("is refused with one sentence that says where", () => {
  const rows: [name: string, text: string, message: RegExp][] = [
    ["a tab as indentation", "policies:\n\t- name: a\n", /tab at line 2/],
    ["a tab after spaces", "policies:\n  - name: x\n\t  rules: []\n", /tab at line 3/],
    ["the same key twice", "groups: {}\ngroups: {}\n", /same key twice at line 2/],
    ["the same key twice, in JSON", '{"groups": {"a": {}, "a": {}}}', /same key twice at line 1/],
    ["an anchor", "groups: &a {}\n", /anchor at line 1/],
    ["an alias", "groups: {}\ntests: *a\n", /alias at line 2/],
    ["a bomb of aliases", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", /anchor at line 1/],
    ["a merge key", "groups:\n  <<: {}\n", /merge key at line 2/],
    ["a tag", "groups: !!map {}\n", /tag at line 1/],
    ["a tag of nobody's", "groups: !foo {}\n", /tag at line 1/],
    ["a number as a key", "groups:\n  123: {}\n", /not text at line 2/],
    ["a boolean as a key", "groups: {true: {}}", /not text at line 1/],
    ["a list as a key", "? [a]\n: b\n", /not text at line 1/],
    ["a key that JavaScript would read", "groups:\n  __proto__: {}\n", /line 2/],
    ["a second document", "groups: {}\n---\ntests: []\n", /more than one document/],
    ["another version of YAML", "%YAML 1.1\n---\ngroups: {}\n", /%YAML/],
    ["levels of brackets", `groups: ${"[".repeat(200_000)}`, /more than 32 levels/],
    [
      "levels of indentation",
      Array.from({ length: 60 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
      /32 levels/,
    ],
    ["nothing", "", /is empty/],
    ["a word", "hello", /not a mapping/],
    ["a list", "- a", /not a mapping/],
    ["an unknown section", "polices: []", /unknown field "polices"/],
    ["an unknown field of a rule", `policies: [{name: a, rules: [{colour: red, sources: [a]}]}]`, /colour/],
    ["a number where a name belongs", `policies: [{name: 123, rules: [${RULE}]}]`, /policies\[0\]\.name/],
    [
      "a number among names",
      "policies: [{name: a, rules: [{sources: [1], destinations: [b]}]}]",
      /sources\[0\]/,
    ],
    ["an unclosed bracket", "policies: [", /policy file is not/],
  ];
  test.each(rows)("%s", (_, text, message) => {
    const refusal = refusalOf(text);
    expect(refusal?.code).toBe("ERR_UNPROCESSABLE");
    expect(refusal?.message).toMatch(message);
    expect(refusal?.message).not.toContain("\n");
  });
});

test("more than 1 MB is refused before anything reads it, and 20,000 keys are read in one pass", () => {
  expect(refusalOf(`#${"x".repeat(10_000_000)}`)?.code).toBe("ERR_TOO_LARGE");
  const keys = Array.from({ length: 20_000 }, (_, i) => `  g${i}: {}`).join("\n");
  expect(refusalOf(`groups:\n${keys}`)?.message).toContain("5000");
});

test("a time is taken as text or as seconds", () => {
  const file = parsePolicyText(
    `policies:
  - name: a
    rules:
      - {sources: [a], destinations: [b], valid_from: 5, valid_until: "1970-01-01T01:00:00+00:30"}`,
  );
  expect(file.policies?.[0]?.rules[0]).toMatchObject({ valid_from: 5, valid_until: 1800 });
});
