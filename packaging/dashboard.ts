/**
 * Builds the dashboard into `dist/dashboard`: scripts split by dynamic import, one style sheet, each
 * compressed by zstd and gzip, and `manifest.json`, which says what there is.
 *
 * The executable carries these files: `embeddedDashboard` is the plugin that puts them into it.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import type { BunPlugin } from "bun";
import tailwind from "bun-plugin-tailwind";

const ROOT = resolve(import.meta.dir, "..");
const FOLDER = resolve(ROOT, process.env.QF_DASHBOARD_FOLDER ?? "dist/dashboard");
const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
};

interface BuiltFile {
  readonly type: string;
  readonly zstd: string;
  readonly gzip: string;
}

export interface DashboardManifest {
  readonly files: Readonly<Record<string, BuiltFile>>;
  readonly script: string;
  readonly style: string;
  readonly preload: readonly string[];
}

/** Builds it, and writes the manifest. Throws what the bundler says. */
export async function buildDashboard(isDevelopment = false): Promise<DashboardManifest> {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const result = await Bun.build({
    entrypoints: [join(ROOT, "src/dashboard/main.tsx")],
    target: "browser",
    format: "esm",
    splitting: true,
    minify: true,
    outdir: join(FOLDER, "plain"),
    naming: { entry: "[name]-[hash].[ext]", chunk: "[name]-[hash].[ext]", asset: "[name]-[hash].[ext]" },
    define: {
      "process.env.NODE_ENV": JSON.stringify("production"),
      QF_DEVELOPMENT_PAGES: JSON.stringify(isDevelopment),
    },
    plugins: [tailwind],
  });
  if (!result.success) throw new AggregateError(result.logs, "the dashboard was not built");
  const names = readdirSync(join(FOLDER, "plain"))
    .filter((name) => extname(name) in TYPES)
    .sort();
  const files = Object.fromEntries(names.map((name) => [name, compress(name)]));
  const named = (kind: string, extension: string): string => {
    const found = result.outputs.find(
      (output) => output.kind === kind && extname(output.path) === extension && /\/main-/.test(output.path),
    );
    if (found === undefined) throw new Error(`the dashboard has no ${kind} ${extension}`);
    return found.path.split("/").at(-1) ?? "";
  };
  const script = named("entry-point", ".js");
  const manifest: DashboardManifest = {
    files,
    script,
    style: named("asset", ".css"),
    preload: importsOf(script),
  };
  writeFileSync(join(FOLDER, "manifest.json"), JSON.stringify(manifest, null, 2));
  return manifest;
}

function compress(name: string): BuiltFile {
  const plain = readFileSync(join(FOLDER, "plain", name));
  const zstd = Bun.zstdCompressSync(plain, { level: 19 });
  const gzip = Bun.gzipSync(plain, { level: 9 });
  const digest = createHash("sha256").update(plain).digest("hex").slice(0, 8);
  const [stem] = name.split(".");
  const file = {
    type: TYPES[extname(name)] ?? "",
    zstd: `${stem}.${digest}.zst`,
    gzip: `${stem}.${digest}.gz`,
  };
  writeFileSync(join(FOLDER, file.zstd), zstd);
  writeFileSync(join(FOLDER, file.gzip), gzip);
  return file;
}

/** Scripts that `script` imports at once, so that they are fetched beside it. */
function importsOf(script: string): string[] {
  const text = readFileSync(join(FOLDER, "plain", script), "utf8");
  const found = [...text.matchAll(/(?:import|from)\s*"\.\/([\w.-]+\.js)"/g)].map((match) => match[1] ?? "");
  return [...new Set(found)].filter((name) => !name.startsWith("main-"));
}

/** In the executable the files come from inside it. */
export function embeddedDashboard(manifest: DashboardManifest): BunPlugin {
  return {
    name: "embedded dashboard",
    setup(build) {
      build.onLoad({ filter: /management\/web\/dashboard-files\.ts$/ }, () => ({
        contents: moduleOf(manifest),
        loader: "js",
      }));
    },
  };
}

function moduleOf(manifest: DashboardManifest): string {
  const entries = Object.entries(manifest.files);
  const load = (index: number, kind: "zstd" | "gzip", file: string): string =>
    `import ${kind}${index} from ${JSON.stringify(join(FOLDER, file))} with { type: "file" };`;
  const imports = entries.flatMap(([, { zstd, gzip }], index) => [
    load(index, "zstd", zstd),
    load(index, "gzip", gzip),
  ]);
  const files = entries.map(
    ([name, { type }], index) =>
      `${JSON.stringify(name)}: { type: ${JSON.stringify(type)}, zstd: zstd${index}, gzip: gzip${index} }`,
  );
  const { script, style, preload } = manifest;
  return [
    ...imports,
    `const built = { files: { ${files.join(", ")} }, ...${JSON.stringify({ script, style, preload })} };`,
    "export function dashboardFiles() { return built; }",
  ].join("\n");
}
