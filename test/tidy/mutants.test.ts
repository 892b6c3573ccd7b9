/** The list of `make mutants` stays true: every fault still has its one place, and its tests exist. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { applyFault, parseMutants, readMutants } from "../mutants/fault.ts";

const ROOT = resolve(import.meta.dir, "../..");
const mutants = readMutants();

test("every listed fault changes one place of its file (mend the list in test/mutants/faults beside the code)", () => {
  const texts = new Map<string, string>();
  const stale = mutants.filter((mutant) => {
    const { file } = mutant;
    if (!texts.has(file))
      texts.set(file, existsSync(join(ROOT, file)) ? readFileSync(join(ROOT, file), "utf8") : "");
    const text = texts.get(file) ?? "";
    const changed = applyFault(text, mutant);
    return changed === null || changed === text;
  });
  expect(stale.map(({ name, find }) => `${name}: ${find}`)).toEqual([]);
});

test("every listed fault names tests that exist", () => {
  const missing = mutants.flatMap(({ name, tests }) =>
    tests.filter((path) => !existsSync(join(ROOT, path))).map((path) => `${name}: ${path}`),
  );
  expect(missing).toEqual([]);
  expect(mutants.filter(({ tests }) => tests.length === 0)).toEqual([]);
});

test("every listed fault has a name of its own and leaves a file that can be read", () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  const transpiler = new Bun.Transpiler({ loader: "ts" });
  const broken = mutants.filter(({ file, ...fault }) => {
    try {
      transpiler.transformSync(applyFault(readFileSync(join(ROOT, file), "utf8"), fault) ?? "");
      return false;
    } catch {
      return true;
    }
  });
  expect(broken.map(({ name }) => name)).toEqual([]);
});

test("a list reads as it is described", () => {
  const text =
    "file src/a/b.ts\ntests x\ntests y\n\nfault one: it breaks\n- a\n-   b\n+ c\n\nfault two: so\n- d\ntests z\naccepted: why\n";
  const base = { area: "a", file: "src/a/b.ts" };
  expect(parseMutants(text)).toEqual([
    {
      ...base,
      name: "a/b:one",
      tests: ["x", "y"],
      find: "a\n  b",
      replace: "c",
      breaks: "it breaks",
      accepted: null,
    },
    { ...base, name: "a/b:two", tests: ["z"], find: "d", replace: "", breaks: "so", accepted: "why" },
  ]);
});
