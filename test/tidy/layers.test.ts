/** The table of STYLE and src/ARCHITECTURE.md as a test: who may import whom, and which package has its door where. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const SRC = resolve(import.meta.dir, "../../src");

const ROLES = ["management", "agent", "ssh", "proxy"];
const MECHANISMS = ["identity", "certificate", "fabric", "audit", "sshcore"];

/** What each layer may import of ours, itself aside. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  base: [],
  wire: ["base"],
  policy: ["wire"],
  ...Object.fromEntries(MECHANISMS.map((name) => [name, ["base", "wire"]])),
  ...Object.fromEntries(ROLES.map((name) => [name, ["base", "wire", "policy", ...MECHANISMS]])),
  dashboard: ["wire", "policy"],
  cli: ["base", "wire", "policy", ...MECHANISMS],
  "main.ts": ["base", "wire", "cli"],
};

/** Where a package may be imported. A package not named here may be imported nowhere. */
const PACKAGE_DOORS: Record<string, readonly string[]> = {
  consola: ["base"],
  zod: ["wire"],
  jose: ["identity", "management"],
  oauth4webapi: ["identity", "management"],
  ssh2: ["sshcore", "agent", "ssh"],
  hono: ["management"],
  "drizzle-orm": ["management"],
  postgres: ["management"],
  "oidc-provider": ["management"],
  citty: ["cli"],
};

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
    if (!path.startsWith(".")) return [];
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

test("policy is pure: types of wire only, no platform, no clock, no chance, no waiting, no throwing", () => {
  const wrong = files
    .filter((file) => layerOf(file) === "policy")
    .flatMap((file) => {
      const text = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
      const found = [
        ...text.matchAll(/\b(Date|Math\.random|await|async|throw|process|Bun)\b|"(?:node|bun):/g),
      ].map((m) => m[0]);
      const runtimeWire = [...text.matchAll(/import\s+(?!type)[^;]*from\s+"\.\.\/wire[^"]*"/g)].map(
        (m) => m[0],
      );
      return [...found, ...runtimeWire].map((what) => `${relative(SRC, file)}: ${what}`);
    });
  expect(wrong).toEqual([]);
});

test("every package of package.json has its reason in ARCHITECTURE.md", () => {
  const manifest = JSON.parse(readFileSync(resolve(SRC, "../package.json"), "utf8"));
  const architecture = readFileSync(join(SRC, "ARCHITECTURE.md"), "utf8");
  const names = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)];
  expect(names.filter((name) => !architecture.includes(`\`${name}\``))).toEqual([]);
  const inexact = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  expect(inexact.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(String(version)))).toEqual([]);
});

test("ARCHITECTURE.md names only paths that are there", () => {
  const architecture = readFileSync(join(SRC, "ARCHITECTURE.md"), "utf8");
  const named = [
    ...architecture.matchAll(
      /`((?:base|wire|policy|identity|certificate|fabric|audit|sshcore|management|agent|ssh|cli)\/[\w./-]+)`/g,
    ),
  ].map((m) => m[1] ?? "");
  const missing = named.filter(
    (path) =>
      !files.some(
        (file) =>
          relative(SRC, file) === path || relative(SRC, file).startsWith(`${path.replace(/\/$/, "")}/`),
      ),
  );
  expect(missing).toEqual([]);
});
