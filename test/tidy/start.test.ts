/**
 * What a connection loads before it does anything. Shapes cost processor time when they are made, and people
 * wait for it at every `ssh`.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "../..");
const transpiler = new Bun.Transpiler({ loader: "ts" });

/** Sources and modules that are loaded with `entries`; what is imported later is not. */
function loadedWith(entries: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (path: string): void => {
    if (found.has(path) || !path.endsWith(".ts")) return;
    found.add(path);
    for (const { kind, path: imported } of transpiler.scanImports(
      readFileSync(resolve(ROOT, path), "utf8"),
    )) {
      if (kind !== "import-statement") continue;
      if (!imported.startsWith(".")) found.add(imported);
      else visit(resolve(ROOT, dirname(path), imported).slice(ROOT.length + 1));
    }
  };
  for (const entry of entries) visit(entry);
  return found;
}

/** Shapes of policies, events and maps, hundreds each. */
const HEAVY = [
  ...["access-request", "agent-sync", "audit-event", "decision", "network-map", "policy", "policy-file"],
  ...["recording", "sftp-operation"],
].map((name) => `src/wire/${name}.ts`);

test.each([
  ["qf ssh", ["src/main.ts", "src/ssh/run.ts", "src/ssh/connect.ts", "src/ssh/session.ts"]],
  ["qf proxy connect", ["src/main.ts", "src/proxy/run.ts", "src/proxy/connect.ts", "src/proxy/hand-over.ts"]],
])("%s loads no shapes of policies, events and maps", (_name, entries) => {
  const loaded = loadedWith(entries);
  expect(loaded.size).toBeGreaterThan(50);
  expect(HEAVY.filter((path) => loaded.has(path))).toEqual([]);
});

test.each([
  ["match", "src/proxy/ssh-config/match.ts"],
  ["known-hosts", "src/proxy/ssh-config/known-hosts.ts"],
])("qf proxy %s parses nothing, and loads neither shapes nor what it can do without", (_name, entry) => {
  const loaded = [...loadedWith(["src/main.ts", "src/proxy/run.ts", entry])];
  expect(loaded).toContain(entry);
  expect(loaded.filter((path) => path.startsWith("src/wire/"))).toEqual([]);
  const builtIn = loaded.filter((path) => !path.startsWith("src/"));
  expect(builtIn.sort()).toEqual(["node:fs", "node:path"]);
});
