/** OpenSSH's regression scripts: every one is accounted for, and the quick ones pass. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isRoot } from "../support/os-accounts.ts";
import { REGRESS, runScripts } from "./regress.ts";
import { HELPERS, NOT_APPLICABLE, SCRIPTS } from "./scripts.ts";

const isHere = existsSync(REGRESS);

test.skipIf(!isHere)("every script of the package is run, or there is a reason why not", () => {
  const files = readdirSync(REGRESS).filter((name) => name.endsWith(".sh"));
  const known = [...SCRIPTS.map(({ name }) => name), ...Object.values(NOT_APPLICABLE).flat(), ...HELPERS];
  expect(files.map((name) => name.slice(0, -3)).sort()).toEqual(known.sort());
});

test.skipIf(!isHere || !isRoot).each([{ way: "direct" }, { way: "proxy" }] as const)(
  "the quick ones pass, $way",
  async ({ way }) => {
    const quick = SCRIPTS.filter(
      ({ isQuick, isProxied }) => isQuick === true && (way === "direct" || isProxied === true),
    );
    const outcomes = await runScripts(quick, { jobs: 4, way });
    expect(outcomes.filter(({ result }) => result === "failed")).toEqual([]);
    expect(outcomes).toHaveLength(quick.length);
  },
  180_000,
);

test("docs/openssh.md counts what RESULTS.md says of each script", () => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
  const rows = read("RESULTS.md").match(/^\| (?!script ).+$/gm) ?? [];
  const cells = rows.map((row) => row.split("|").map((cell) => cell.trim()));
  const count = (column: number, result: string) =>
    cells
      .filter((cell) => cell[column] === result)
      .reduce((sum, [, names = ""]) => sum + names.split(",").length, 0);
  const page = read("../../docs/openssh.md");
  for (const [label, result] of [
    ["passed whole", "passed"],
    ["passed in part", "passed in part"],
    ["failing", "failed"],
  ] as const)
    expect(page).toContain(`| ${label} | ${count(2, result)} | ${count(3, result)} |`);
  expect(page).toContain(`| not applicable | ${count(2, "not applicable")} | `);
});
