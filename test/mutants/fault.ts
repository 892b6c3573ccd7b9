/**
 * Single faults that tests must notice: how a list of them reads, and how one is put into a source file.
 *
 * A list (`faults/*.txt`) is written like a patch, in blocks between empty lines:
 *
 *     file src/policy/decide/decide.ts
 *     tests test/policy/decide/decide.test.ts
 *
 *     fault user-status: a blocked person is let in
 *     - if (user.status !== "active") return
 *     + if (user.status === "pending") return
 *     accepted: only for a fault that no test can notice, with the reason
 *
 * What follows `- ` (`-` alone is an empty line) occurs exactly once in the file; without a `+ ` line it is
 * taken out. A fault may have `tests` of its own instead of the file's.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One change of one place that takes a check away or turns it round. */
export interface Mutant {
  /** File without `src/` and `.ts`, and an id within it: what `ONLY` is compared with. */
  readonly name: string;
  /** First part of the path: one row of the table. */
  readonly area: string;
  /** Path from the root of the tree. */
  readonly file: string;
  /** Test files of which one must fail. */
  readonly tests: readonly string[];
  readonly find: string;
  readonly replace: string;
  /** What goes wrong with it, in one line. */
  readonly breaks: string;
  /** Why no test can notice it: it changes nothing, or another check does the same. Null: a test must. */
  readonly accepted: string | null;
}

/** Every fault of every list, in order of file names. */
export function readMutants(): Mutant[] {
  const folder = join(import.meta.dir, "faults");
  return readdirSync(folder)
    .sort()
    .flatMap((name) => parseMutants(readFileSync(join(folder, name), "utf8")));
}

/** Reads one list. Throws where a block is not one. */
export function parseMutants(text: string): Mutant[] {
  let file = "";
  let fileTests: readonly string[] = [];
  const mutants: Mutant[] = [];
  for (const block of text.split(/\n{2,}/)) {
    const lines = block.split("\n").filter((line) => line !== "");
    const tests = valuesOf(lines, "tests ");
    const [named] = valuesOf(lines, "file ");
    if (named !== undefined) {
      file = named;
      fileTests = tests;
    } else if (lines.length > 0) {
      mutants.push({ ...parseFault(lines, file), file, tests: tests.length > 0 ? tests : fileTests });
    }
  }
  return mutants;
}

function parseFault(lines: readonly string[], file: string): Omit<Mutant, "file" | "tests"> {
  const [, id, breaks] = /^fault ([a-z0-9-]+): (.+)$/.exec(lines[0] ?? "") ?? [];
  const find = valuesOf(lines, "- ").join("\n");
  if (id === undefined || breaks === undefined || find === "")
    throw new Error(`no fault: ${lines.join("\n")}`);
  const path = file.replace(/^src\//, "").replace(/\.ts$/, "");
  return {
    name: `${path}:${id}`,
    area: path.split("/")[0] ?? path,
    find,
    replace: valuesOf(lines, "+ ").join("\n"),
    breaks,
    accepted: valuesOf(lines, "accepted: ")[0] ?? null,
  };
}

function valuesOf(lines: readonly string[], prefix: string): string[] {
  const bare = prefix.trimEnd();
  return lines.flatMap((line) =>
    line === bare ? [""] : line.startsWith(prefix) ? [line.slice(prefix.length)] : [],
  );
}

/** `text` with the fault in it, or null: what it changes is not there any more, or is there twice. */
export function applyFault(text: string, { find, replace }: Pick<Mutant, "find" | "replace">): string | null {
  const at = text.indexOf(find);
  if (at === -1 || text.indexOf(find, at + 1) !== -1) return null;
  return text.slice(0, at) + replace + text.slice(at + find.length);
}
