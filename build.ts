/**
 * Builds `dist/qf`, one self-contained executable, and links `dist/qufabric` to it.
 *
 * Autoloading of `.env` and `bunfig.toml` is off, and no module is left to be found where it runs: the
 * executable runs in folders that others write.
 */
import { chmodSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import type { BunPlugin } from "bun";
import { version } from "./package.json";
import { buildSessionHelper } from "./packaging/session-helper.ts";
import { survivesDeletedWorkingDirectory } from "./packaging/working-directory.ts";

const outfile = process.env.QF_OUTFILE ?? "dist/qf";

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
  plugins: [withoutNativeParts],
  define: {
    QF_VERSION: JSON.stringify(version),
    QF_COMMIT: JSON.stringify(commit()),
    QF_SESSION_HELPER: JSON.stringify(helper?.toString("base64") ?? ""),
  },
  // The system's bundles of authorities as well as its folder of hash links: slim images have the former
  // only.
  compile: { outfile, autoloadDotenv: false, autoloadBunfig: false, execArgv: ["--use-system-ca"] },
});
if (!result.success) {
  for (const log of result.logs) console.error(log);
  process.exit(1);
}
if (process.platform === "linux" && process.arch === "x64") survivesDeletedWorkingDirectory(outfile);
chmodSync(outfile, 0o755);
if (outfile === "dist/qf") {
  const link = "dist/qufabric";
  rmSync(link, { force: true });
  symlinkSync("qf", link);
}
