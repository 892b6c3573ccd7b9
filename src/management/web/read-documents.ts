/**
 * The documents of the repository, read at build time: `document-pages.ts` imports this as a macro, so what
 * it returns becomes part of the code.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "../../..");
/** Documents of the top folder for people who run QuFabric. */
const TOP = ["README.md", "SECURITY.md", "BENCHMARKS.md", "CHANGELOG.md"];

/** Markdown texts by path from the top folder. */
export function readDocuments(): Record<string, string> {
  const docs = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`);
  return Object.fromEntries(
    [...TOP, ...docs.sort()].map((path) => [path, readFileSync(join(ROOT, path), "utf8")]),
  );
}
