/** The pages that list fields and flags list all of them, and their examples are taken as they stand. */
import { expect, test } from "bun:test";
import { FLAGS } from "../../src/agent/contracts/flags.ts";
import { defaultSettings, filled } from "../../src/management/contracts/settings.ts";
import { PolicyRuleWrite, PolicyWrite, SshCapabilities } from "../../src/wire/policy.ts";
import { COMMANDS_PAGE, commandsPage } from "./commands-page.ts";
import { documents, jsonBlocks, type Text } from "./documents.ts";
import { RULE_FIELDS_PAGE, ruleFieldsPage } from "./rule-fields-page.ts";

const DOCUMENTS = documents();

function page(path: string): Text {
  const found = DOCUMENTS.find((document) => document.path === path);
  if (found === undefined) throw new Error(`there is no ${path}`);
  return found;
}

/** The names in code spans of the first column of a page's tables. */
function firstColumn({ text }: Text): Set<string> {
  const cells = text.split("\n").flatMap((line) => /^\| (`[^|]*) \|/.exec(line)?.[1] ?? []);
  return new Set(
    cells.flatMap((cell) => [...cell.matchAll(/`([^`\s]+)[^`]*`/g)].map(([, name = ""]) => name)),
  );
}

test("docs/commands.md is what `bun test/tidy/commands-page.ts` writes", () => {
  expect(page(COMMANDS_PAGE).text).toBe(commandsPage());
});

test("docs/rule-fields.md is what `bun test/tidy/rule-fields-page.ts` writes, and says something of each field", () => {
  const text = ruleFieldsPage();
  expect(page(RULE_FIELDS_PAGE).text).toBe(text);
  expect(text).not.toContain("|  |");
  const listed = firstColumn({ path: RULE_FIELDS_PAGE, text });
  const fields = [...Object.keys(PolicyRuleWrite.shape), ...Object.keys(SshCapabilities.shape)];
  expect(fields.filter((field) => !listed.has(field))).toEqual([]);
});

test("docs/policies.md lists every capability of a rule", () => {
  const listed = firstColumn(page("docs/policies.md"));
  expect(Object.keys(SshCapabilities.shape).filter((field) => !listed.has(field))).toEqual([]);
});

test("docs/policies.md names every field of a rule", () => {
  const { text } = page("docs/policies.md");
  /** Those that stand for a rule's two ends where these are one peer, and what NetBird's clients send. */
  const passedOver = ["id", "description", "sourceResource", "destinationResource", "ports", "port_ranges"];
  const fields = Object.keys(PolicyRuleWrite.shape).filter((field) => !passedOver.includes(field));
  expect(fields.filter((field) => !new RegExp(`[\`"]${field}[\`"]`).test(text))).toEqual([]);
});

test("docs/administration.md lists every account setting of ours", () => {
  const listed = firstColumn(page("docs/administration.md"));
  const fields = Object.keys(filled(defaultSettings()));
  expect(fields.length).toBeGreaterThan(5);
  expect(fields.filter((field) => !listed.has(field))).toEqual([]);
});

test("docs/machines.md names every flag that qf agent up keeps, but for the limits of its last group", () => {
  const listed = firstColumn(page("docs/machines.md"));
  const { text } = page("docs/machines.md");
  const firstLimit = FLAGS.findIndex(({ name }) => name === "ssh-login-grace-time");
  const names = FLAGS.slice(0, firstLimit)
    .map(({ name }) => `--${name}`)
    .filter((flag) => flag !== "--ssh-host-key-algorithms");
  expect(names.filter((flag) => !listed.has(flag) && !text.includes(`\`${flag} `))).toEqual([]);
});

test("a policy in a document is one that the API takes", () => {
  const blocks = DOCUMENTS.flatMap((document) =>
    jsonBlocks(document).map((block) => ({
      where: document.path,
      value: JSON.parse(block.replace(/"[A-Z]+_ID"/g, `"${"a1".repeat(10)}"`)),
    })),
  );
  expect(blocks.length).toBeGreaterThan(1);
  for (const { where, value } of blocks) {
    const schema = "rules" in value ? PolicyWrite : SshCapabilities;
    expect({ where, ...schema.safeParse(value) }).toMatchObject({ where, success: true });
  }
});
