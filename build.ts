/**
 * Builds `dist/qf`, one self-contained executable, and links `dist/qufabric` to it.
 *
 * Autoloading of `.env` and `bunfig.toml` is off: the executable runs in folders that others write.
 */
import { chmodSync, existsSync, lstatSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { version } from "./package.json";

const outfile = process.env.QF_OUTFILE ?? "dist/qf";

function commit(): string {
  const result = Bun.spawnSync(["git", "rev-parse", "--short=12", "HEAD"], { stderr: "ignore" });
  return result.exitCode === 0 ? result.stdout.toString().trim() : "unknown";
}

mkdirSync("dist", { recursive: true });
const result = await Bun.build({
  entrypoints: ["./src/main.ts"],
  target: "bun",
  // Names stay: oidc-provider finds its lifetimes and models by the names of its classes.
  minify: { whitespace: true, syntax: true, identifiers: false, keepNames: true },
  splitting: true,
  format: "esm",
  bytecode: true,
  // Optional native parts of ssh2, absent by choice: Bun's own crypto is used.
  external: ["cpu-features", "*.node"],
  define: { QF_VERSION: JSON.stringify(version), QF_COMMIT: JSON.stringify(commit()) },
  compile: { outfile, autoloadDotenv: false, autoloadBunfig: false },
});
if (!result.success) {
  for (const log of result.logs) console.error(log);
  process.exit(1);
}
chmodSync(outfile, 0o755);
const link = "dist/qufabric";
if (existsSync(link) || lstatSync(link, { throwIfNoEntry: false })) rmSync(link);
symlinkSync("qf", link);
