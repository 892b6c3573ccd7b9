/** Nothing is exported that nobody uses: what only tests need stands in test/support. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const SRC = resolve(import.meta.dir, "../../src");
/** Exports that only tests read, with the reason. */
const ONLY_FOR_TESTS: Readonly<Record<string, string>> = {
  MAP_FIELDS: "the compiler checks it: a new field of a rule without an entry does not compile",
  documentPaths: "the list of pages that tests walk",
  indexAccount: "the map of a whole account at once, which the map kept by differences has to equal",
};
const NAMED_EXPORT =
  /^export (?:async |abstract )*(?:function\*?|const|class|interface|type) ([A-Za-z_$][\w$]*)/gm;
const NAME = /[A-Za-z_$][\w$]*/g;

test("every export is used somewhere in src, in its own file at least", () => {
  const texts = [...new Bun.Glob("**/*.{ts,tsx}").scanSync(SRC)].map((file) => ({
    file,
    text: readFileSync(resolve(SRC, file), "utf8"),
  }));
  const uses = new Map<string, number>();
  for (const { text } of texts)
    for (const [name] of text.matchAll(NAME)) uses.set(name, (uses.get(name) ?? 0) + 1);
  const unused = texts.flatMap(({ file, text }) =>
    [...text.matchAll(NAMED_EXPORT)]
      .map(([, name = ""]) => name)
      .filter((name) => uses.get(name) === 1 && ONLY_FOR_TESTS[name] === undefined)
      .map((name) => `${file}: ${name}`),
  );
  expect(unused).toEqual([]);
});

test("what is exported for tests only is still so", () => {
  const all = [...new Bun.Glob("**/*.{ts,tsx}").scanSync(SRC)]
    .map((file) => readFileSync(resolve(SRC, file), "utf8"))
    .join("\n");
  const used = Object.keys(ONLY_FOR_TESTS).filter(
    (name) => [...all.matchAll(new RegExp(`\\b${name}\\b`, "g"))].length !== 1,
  );
  expect(used).toEqual([]);
});
