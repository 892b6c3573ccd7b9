/**
 * Builds `dist/qf`, one self-contained executable, and links `dist/qufabric` to it.
 *
 * For this system and without release keys, unless `packaging/release.ts` says otherwise: QF_TARGET names the
 * target, QF_BUN_TARGET and QF_RUNTIME Bun's name of it and its runtime, QF_RELEASE_KEYS the keys to trust,
 * QF_BUILD_VERSION another version than that of package.json. QF_DEVELOPMENT_PAGES=1 adds `/dev/components`;
 * QF_DASHBOARD_FOLDER is where the dashboard is built, if not in `dist/dashboard`.
 *
 * Autoloading of `.env` and `bunfig.toml` is off, and no module is left to be found where it runs: the
 * executable runs in folders that others write.
 */
import { chmodSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import type { BunPlugin } from "bun";
import { version as ownVersion } from "./package.json";
import { buildDashboard, embeddedDashboard } from "./packaging/dashboard.ts";
import { buildSessionHelper } from "./packaging/session-helper.ts";
import { survivesDeletedWorkingDirectory } from "./packaging/working-directory.ts";

const outfile = process.env.QF_OUTFILE ?? "dist/qf";
const version = process.env.QF_BUILD_VERSION ?? ownVersion;
const { QF_BUN_TARGET: bunTarget, QF_RUNTIME: runtime } = process.env;
const target = process.env.QF_TARGET ?? `${process.platform}-${process.arch}${isMusl() ? "-musl" : ""}`;
const hasDevelopmentPages = process.env.QF_DEVELOPMENT_PAGES === "1";
const releaseKeys = (process.env.QF_RELEASE_KEYS ?? "").split("\n").filter(Boolean);

/** Whether the C library of this system is musl, whose runtime then is the one that builds. */
function isMusl(): boolean {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return process.platform === "linux" && report?.header?.glibcVersionRuntime === undefined;
}

function commit(): string {
  const result = Bun.spawnSync(["git", "rev-parse", "--short=12", "HEAD"], { stderr: "ignore" });
  return result.exitCode === 0 ? result.stdout.toString().trim() : "unknown";
}

mkdirSync("dist", { recursive: true });
/**
 * Optional native parts of ssh2, absent by choice: Bun's own crypto is used. Left as `external` they would be
 * looked for, at each start, in `node_modules` of the folder that people are in and of all above it.
 */
const withoutNativeParts: BunPlugin = {
  name: "without native parts",
  setup(build) {
    build.onResolve({ filter: /^cpu-features$|\.node$/ }, ({ path }) => ({ path, namespace: "absent" }));
    build.onLoad({ filter: /.*/, namespace: "absent" }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not part of this executable`)});`,
      loader: "js",
    }));
  },
};

const helper = buildSessionHelper(
  outfile === "dist/qf" ? "dist/session-helper" : `${outfile}-session-helper`,
);
if (helper === null)
  console.error("build: no C compiler (apt install gcc libc6-dev): no session helper inside");

const result = await Bun.build({
  entrypoints: ["./src/main.ts"],
  target: "bun",
  // Names stay: oidc-provider finds its lifetimes and models by the names of its classes.
  minify: { whitespace: true, syntax: true, identifiers: false, keepNames: true },
  splitting: true,
  format: "esm",
  bytecode: true,
  plugins: [withoutNativeParts, embeddedDashboard(await buildDashboard(hasDevelopmentPages))],
  define: {
    QF_VERSION: JSON.stringify(version),
    QF_COMMIT: JSON.stringify(commit()),
    QF_SESSION_HELPER: JSON.stringify(helper?.toString("base64") ?? ""),
    QF_TARGET: JSON.stringify(target),
    QF_DEVELOPMENT_PAGES: JSON.stringify(hasDevelopmentPages),
    QF_RELEASE_KEYS: JSON.stringify(releaseKeys),
  },
  // The system's bundles of authorities as well as its folder of hash links: slim images have the former
  // only.
  compile: {
    outfile,
    autoloadDotenv: false,
    // What runs at a start only is not worth compiling: `base/jit-policy.ts`.
    jitPolicy: 100,
    autoloadBunfig: false,
    execArgv: ["--use-system-ca"],
    ...(bunTarget === undefined ? {} : { target: bunTarget as Bun.Build.CompileTarget }),
    ...(runtime === undefined ? {} : { executablePath: runtime }),
  },
});
if (!result.success) {
  for (const log of result.logs) console.error(log);
  process.exit(1);
}
if (/^linux-x64/.test(target)) survivesDeletedWorkingDirectory(outfile);
chmodSync(outfile, 0o755);
if (outfile === "dist/qf") {
  const link = "dist/qufabric";
  rmSync(link, { force: true });
  symlinkSync("qf", link);
}
