/**
 * The source tree as data: files, imports, cycles, exports, headers and functions, as tidy measures them.
 *
 * Reads text; runs nothing of the project. Functions are found by Biome (`functions.biome.json`), which
 * parses TypeScript: `lines` counts from the first line of a function to its last, comments and all.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

/** The checkout that this file is in. */
export const ROOT = resolve(import.meta.dir, "../..");

export interface SourceFile {
  /** From the root of the checkout: `src/base/clock.ts`. */
  readonly path: string;
  readonly text: string;
}

export interface SourceFunction {
  readonly path: string;
  /** Name, or the line where a function without one begins. */
  readonly name: string;
  readonly lines: number;
}

/** Every TypeScript file below `folder`, by path. */
export function readSources(folder: string, root = ROOT): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

/** Paths of our own files that `file` imports, types as well; without what it loads when it needs it. */
export function importsOf(file: SourceFile): string[] {
  const text = file.text.replace(/\/\*[\s\S]*?\*\//g, "");
  const found = [...text.matchAll(/(?:^|\n)\s*(?:import|export)\s(?:[^;"]*?from\s+)?"(\.[^"]+)"/g)];
  return [...new Set(found.map((match) => join(dirname(file.path), match[1] ?? "")))];
}

/** Pairs of folders of which the first imports the second, as `a -> b`. */
export function folderArrows(files: readonly SourceFile[]): string[] {
  const arrows = files.flatMap((file) =>
    importsOf(file).map((path) => [dirname(file.path), dirname(path)] as const),
  );
  return [...new Set(arrows.flatMap(([from, to]) => (from === to ? [] : [`${from} -> ${to}`])))].sort();
}

/** Groups of names of which each leads to each other one, sorted. `edges` may name what is no key of it. */
export function cyclesOf(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const reach = (from: string): Set<string> => {
    const seen = new Set<string>();
    const queue = [...(edges.get(from) ?? [])];
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      if (seen.has(name)) continue;
      seen.add(name);
      queue.push(...(edges.get(name) ?? []));
    }
    return seen;
  };
  const reached = new Map([...edges.keys()].map((name) => [name, reach(name)]));
  const cycles = [...edges.keys()]
    .filter((name) => reached.get(name)?.has(name) === true)
    .map((name) =>
      [...edges.keys()].filter((other) => reached.get(name)?.has(other) && reached.get(other)?.has(name)),
    );
  return [...new Set(cycles.map((cycle) => cycle.sort().join(" ")))].map((cycle) => cycle.split(" "));
}

/** Cycles of imports between files. */
export function fileCycles(files: readonly SourceFile[]): string[][] {
  return cyclesOf(new Map(files.map((file) => [file.path, importsOf(file)])));
}

/** Cycles of imports between folders. */
export function folderCycles(files: readonly SourceFile[]): string[][] {
  const edges = new Map<string, string[]>();
  for (const arrow of folderArrows(files)) {
    const [from = "", to = ""] = arrow.split(" -> ");
    edges.set(from, [...(edges.get(from) ?? []), to]);
  }
  return cyclesOf(edges);
}

/**
 * Names that `file` exports without a doc comment right above them. A schema and its type share a name and
 * so a comment.
 */
export function bareExports(file: SourceFile): string[] {
  const lines = file.text.split("\n");
  const declared =
    /^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|function\*?|class|interface|type) (\w+)/;
  const documented = new Set<string>();
  const named = new Set<string>();
  lines.forEach((line, i) => {
    const name = declared.exec(line)?.[1];
    if (name === undefined) return;
    named.add(name);
    if (/\*\/\s*$/.test(lines[i - 1] ?? "")) documented.add(name);
  });
  return [...named].filter((name) => !documented.has(name));
}

/** The opening comment of a file, without its stars. Undefined where the file begins with code. */
export function headerOf(file: SourceFile): string | undefined {
  const text = /^\/\*\*([\s\S]*?)\*\//.exec(file.text)?.[1];
  return text?.replace(/^\s*\*? ?/gm, "").trim();
}

/** Whether `file` has anything that runs. A file of types alone has nothing that a test could call. */
export function hasRuntime(file: SourceFile): boolean {
  const code = file.text.replace(/\/\*[\s\S]*?\*\//g, "");
  return /^(?:export )?(?:abstract )?(?:async )?(?:const|let|function|class)\b/m.test(code);
}

/**
 * Whether a test of its own mirrors `file`, path for path: `test/base/clock.test.ts`, `….property.test.ts`.
 */
export function hasMirroredTest(path: string, root = ROOT): boolean {
  const mirror = path.replace(/^src\//, "test/").replace(/\.tsx?$/, ".");
  const folder = join(root, dirname(mirror));
  const base = relative(dirname(mirror), mirror);
  return (
    existsSync(folder) &&
    readdirSync(folder).some((name) => name.startsWith(base) && /\.test\.tsx?$/.test(name))
  );
}

/** How often `file` waits for a time, by itself or as a bound. */
export function timedWaits(file: SourceFile): number {
  return file.text.match(/\bBun\.sleep\(|\bsetTimeout\(/g)?.length ?? 0;
}

/** How often `file` asserts a string or pattern with a sentence in it: four words in a row. */
export function proseAssertions(file: SourceFile): number {
  const literal = /\.to(?:Contain|Match|Be|Throw|Equal)\(\s*(?:"(?:[^"\\]|\\.)*"|\/(?:[^/\\\n]|\\.)*\/)/g;
  const found = file.text.match(literal) ?? [];
  return found.filter((text) => /(?:[A-Za-z][a-z']+[ ,:;]+){3,}[a-z]/.test(text)).length;
}

interface Diagnostic {
  readonly location: {
    readonly path: string;
    readonly start: { readonly line: number };
    readonly end: { readonly line: number };
  };
}

/** Every function below `folder` of more than a line, longest first. */
export function functionsOf(folder: string, root = ROOT): SourceFunction[] {
  const biome = join(ROOT, "node_modules/.bin/biome");
  const config = join(import.meta.dir, "functions.biome.json");
  const args = ["lint", `--config-path=${config}`, "--reporter=json", "--max-diagnostics=none", folder];
  const { stdout } = Bun.spawnSync([biome, ...args], { cwd: root, stdout: "pipe", stderr: "ignore" });
  const { diagnostics } = JSON.parse(stdout.toString()) as { diagnostics: readonly Diagnostic[] };
  const texts = new Map<string, string[]>();
  const linesOf = (path: string): string[] => {
    const known = texts.get(path) ?? readFileSync(join(root, path), "utf8").split("\n");
    texts.set(path, known);
    return known;
  };
  return diagnostics
    .map(({ location: { path, start, end } }) => ({
      path,
      name: functionName(linesOf(path)[start.line - 1] ?? "") ?? `line ${start.line}`,
      lines: end.line - start.line + 1,
    }))
    .sort((a, b) => b.lines - a.lines || (a.path < b.path ? -1 : 1));
}

/** The name on the first line of a function: of itself, of its method or of what holds it. */
function functionName(line: string): string | undefined {
  const named =
    /\bfunction\*? (\w+)|\b(?:const|let) (\w+)|^\s*(?:(?:async|static|private|get|set) )*(#?\w+)[(<]/;
  const match = named.exec(line);
  return match?.[1] ?? match?.[2] ?? match?.[3];
}
