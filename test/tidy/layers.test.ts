/**
 * src/ARCHITECTURE.md as a test: who may import whom, which package has its door where, whether the map is
 * true.
 */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const SRC = resolve(import.meta.dir, "../../src");

const ROLES = ["management", "agent", "ssh", "proxy"];
const MECHANISMS = ["identity", "certificate", "fabric", "audit", "log", "recording", "sshcore"];
const BELOW_ROLES = ["base", "wire", "policy", ...MECHANISMS, "client"];

/** What each layer may import of ours, itself aside. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  base: [],
  wire: ["base"],
  policy: ["wire"],
  ...Object.fromEntries(MECHANISMS.map((name) => [name, ["base", "wire"]])),
  client: ["base", "wire", "policy", ...MECHANISMS],
  ...Object.fromEntries(ROLES.map((name) => [name, BELOW_ROLES])),
  "browser-ssh": ["wire", "sshcore"],
  dashboard: ["wire", "policy", "browser-ssh", "recording"],
  cli: BELOW_ROLES,
  "main.ts": ["base", "wire", "cli"],
};

/** Where a package may be imported. A package not named here may be imported nowhere. */
const PACKAGE_DOORS: Record<string, readonly string[]> = {
  "age-encryption": ["recording"],
  consola: ["base"],
  zod: ["wire"],
  yaml: ["wire"],
  jose: ["identity", "management"],
  oauth4webapi: ["identity"],
  ssh2: ["sshcore", "agent", "ssh"],
  hono: ["management"],
  "drizzle-orm": ["management"],
  postgres: ["management"],
  nodemailer: ["management"],
  "oidc-provider": ["management"],
  citty: ["cli"],
  react: ["dashboard"],
  "react-dom": ["dashboard"],
  "radix-ui": ["dashboard"],
  "@tanstack/react-router": ["dashboard"],
  "@tanstack/react-query": ["dashboard"],
  "@tanstack/react-table": ["dashboard"],
  "@tanstack/react-virtual": ["dashboard"],
  "lucide-react": ["dashboard"],
  cmdk: ["dashboard"],
  "get-nonce": ["dashboard"],
  "asciinema-player": ["dashboard"],
  "@xterm/xterm": ["dashboard"],
  "@xterm/addon-fit": ["dashboard"],
  "@xterm/addon-search": ["dashboard"],
  "@xterm/addon-unicode11": ["dashboard"],
  "@xterm/addon-web-links": ["dashboard"],
};

const ARCHITECTURE = readFileSync(join(SRC, "ARCHITECTURE.md"), "utf8");

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => join(SRC, name));

interface Import {
  readonly from: string;
  readonly path: string;
  readonly dynamic: boolean;
  /** A package's types alone bring none of its code in. */
  readonly typesOnly: boolean;
}

/** Every import of a file, those of types as well, which the transpiler leaves out. */
function importsOf(file: string): Import[] {
  const text = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
  const found: Import[] = [];
  for (const match of text.matchAll(/(?:^|\n)\s*(?:import|export)\s([^;]*?)from\s+"([^"]+)"/g)) {
    const typesOnly = match[1]?.startsWith("type ") === true;
    found.push({ from: file, path: match[2] ?? "", dynamic: false, typesOnly });
  }
  for (const match of text.matchAll(/(?:^|\n)\s*import\s+"([^"]+)"/g)) {
    found.push({ from: file, path: match[1] ?? "", dynamic: false, typesOnly: false });
  }
  for (const match of text.matchAll(/\bimport\(\s*"([^"]+)"/g)) {
    found.push({ from: file, path: match[1] ?? "", dynamic: true, typesOnly: false });
  }
  return found;
}

function layerOf(file: string): string {
  return relative(SRC, file).split("/")[0] ?? "";
}

const imports = files.flatMap(importsOf);

test("every directory of src is a layer of the table", () => {
  const layers = new Set(files.map(layerOf));
  expect([...layers].filter((layer) => !(layer in MAY_IMPORT))).toEqual([]);
});

test("layers import only what the table allows", () => {
  const wrong = imports.flatMap(({ from, path, dynamic }) => {
    if (!path.startsWith(".") || path.endsWith("/install.sh")) return [];
    const layer = layerOf(from);
    const target = layerOf(resolve(dirname(from), path));
    if (target === layer || MAY_IMPORT[layer]?.includes(target)) return [];
    // Roles are loaded only when chosen: by cli and main, dynamically.
    if (dynamic && (layer === "cli" || layer === "main.ts")) return [];
    return [`${relative(SRC, from)} imports ${path}`];
  });
  expect(wrong).toEqual([]);
});

test("packages are imported at their door only", () => {
  const wrong = imports.flatMap(({ from, path, typesOnly }) => {
    if (path.startsWith(".") || /^(node|bun):|^bun$/.test(path) || typesOnly) return [];
    const name = path.startsWith("@") ? path.split("/").slice(0, 2).join("/") : (path.split("/")[0] ?? "");
    return PACKAGE_DOORS[name]?.includes(layerOf(from)) ? [] : [`${relative(SRC, from)} imports ${path}`];
  });
  expect(wrong).toEqual([]);
});

/** Files of wire that are plain constants and import nothing: policy takes them at run time as well. */
const WIRE_CONSTANTS: readonly string[] = ["rule-outcome.ts", "name-key.ts", "ports.ts"];

test("the constants of wire import nothing", () => {
  const constants = WIRE_CONSTANTS.map((name) => join(SRC, "wire", name));
  expect(constants.filter((file) => !existsSync(file) || importsOf(file).length > 0)).toEqual([]);
});

test("policy is pure: types and constants of wire only, no platform, no clock, no chance, no waiting, no throwing", () => {
  const wrong = files
    .filter((file) => layerOf(file) === "policy")
    .flatMap((file) => {
      const text = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
      const found = [
        ...text.matchAll(/\b(Date|Math\.random|await|async|throw|process|Bun)\b|"(?:node|bun):/g),
      ].map((m) => m[0]);
      const runtimeWire = [...text.matchAll(/import\s+(?!type\b)[^;]*from\s+"(?:\.\.\/)+wire\/([^"]*)"/g)]
        .filter((m) => !WIRE_CONSTANTS.includes(m[1] ?? ""))
        .map((m) => m[0]);
      return [...found, ...runtimeWire].map((what) => `${relative(SRC, file)}: ${what}`);
    });
  expect(wrong).toEqual([]);
});

/** What a page takes of a layer that is otherwise the server's. */
const IN_PAGES: readonly string[] = ["recording/screen-filter.ts"];

test("the dashboard takes of recording only what runs in a page", () => {
  const wrong = imports.filter(
    ({ from, path, typesOnly }) =>
      layerOf(from) === "dashboard" &&
      !typesOnly &&
      path.startsWith(".") &&
      layerOf(resolve(dirname(from), path)) === "recording" &&
      !IN_PAGES.includes(relative(SRC, resolve(dirname(from), path))),
  );
  expect(wrong).toEqual([]);
});

test("what runs in a page brings nothing of the platform: browser-ssh, and whatever it imports at run time", () => {
  const own = files.filter((file) => layerOf(file) === "browser-ssh");
  const seen = new Set([...own, ...IN_PAGES.map((name) => join(SRC, name))]);
  const wrong: string[] = [];
  for (const file of seen) {
    for (const { path, typesOnly } of importsOf(file)) {
      if (typesOnly) continue;
      if (path.startsWith(".")) seen.add(resolve(dirname(file), path));
      else wrong.push(`${relative(SRC, file)} imports ${path}`);
    }
    const text = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    if (/\b(?:Buffer|process|Bun)\b/.test(text)) wrong.push(`${relative(SRC, file)} uses the platform`);
  }
  expect(wrong).toEqual([]);
});

test("every package of package.json has its reason in ARCHITECTURE.md", () => {
  const manifest = JSON.parse(readFileSync(resolve(SRC, "../package.json"), "utf8"));
  const names = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)];
  expect(names.filter((name) => !ARCHITECTURE.includes(`\`${name}\``))).toEqual([]);
  const inexact = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  expect(inexact.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(String(version)))).toEqual([]);
});

/** Paths in backticks that begin with a folder of src or with `test`. */
const named = [...ARCHITECTURE.matchAll(/`([a-z-]+\/[\w./-]*)`/g)]
  .map((match) => match[1] ?? "")
  .filter((path) => path.startsWith("test/") || layerOf(join(SRC, path)) in MAY_IMPORT);

test("ARCHITECTURE.md names only paths that are there", () => {
  const missing = named.filter(
    (path) => !existsSync(join(SRC, path)) && !existsSync(resolve(SRC, "..", path)),
  );
  expect(missing).toEqual([]);
});

test("ARCHITECTURE.md names every folder of src, or a file in it, and every folder of test that mirrors none", () => {
  const folders = new Set(files.map((file) => relative(SRC, dirname(file))).filter((path) => path !== ""));
  const isNamed = (folder: string): boolean =>
    named.some((path) => path === `${folder}/` || dirname(path) === folder);
  expect([...folders].filter((folder) => !isNamed(folder))).toEqual([]);
  const tests = readdirSync(resolve(SRC, "../test"), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  const unnamed = tests.filter(({ name }) => !existsSync(join(SRC, name)) && !named.includes(`test/${name}`));
  expect(unnamed.map(({ name }) => name)).toEqual([]);
});

test("a file that a comment names is there", () => {
  const paths = files.map((file) => relative(SRC, file));
  const missing = files.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/\/\*\*[\s\S]*?\*\/|(?:^|\s)\/\/ .*$/gm)]
      .flatMap(([comment]) => [...comment.matchAll(/[`(]([a-z0-9./-]+\.ts)[`)]/g)])
      .map((match) => (match[1] ?? "").replace(/^(?:\.\.?\/)+|^src\//, ""))
      .filter(
        (name) =>
          !paths.some((path) => path === name || path.endsWith(`/${name}`)) &&
          !existsSync(resolve(SRC, "..", name)),
      )
      .map((name) => `${relative(SRC, file)}: ${name}`),
  );
  expect(missing).toEqual([]);
});
