/**
 * Bun's runtimes for other systems, from the npm registry, each checked against its pinned digest.
 *
 * @module
 */
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { RUNTIME_VERSION, type TargetBuild } from "./targets.ts";

const FOLDER = resolve(import.meta.dir, "../.tools/runtimes");

/** Path of the runtime's executable, downloaded once. Throws where it is not what is pinned. */
export function runtimePath({ runtime, integrity, name }: TargetBuild): string {
  const path = join(FOLDER, `${runtime.replace("@oven/", "")}-${RUNTIME_VERSION}`);
  if (existsSync(path)) return path;
  mkdirSync(FOLDER, { recursive: true });
  const folder = mkdtempSync(join(FOLDER, "unpack-"));
  try {
    run(["npm", "pack", "--silent", "--pack-destination", folder, `${runtime}@${RUNTIME_VERSION}`]);
    const tarball = join(folder, readdirSync(folder)[0] ?? "");
    const digest = `sha512-${createHash("sha512").update(readFileSync(tarball)).digest("base64")}`;
    if (digest !== integrity)
      throw new Error(`${runtime}@${RUNTIME_VERSION} is not what is pinned: ${digest}`);
    run(["tar", "-xzf", tarball, "-C", folder, "package/bin"]);
    const executable = join(folder, "package/bin", name.endsWith(".exe") ? "bun.exe" : "bun");
    chmodSync(executable, 0o755);
    renameSync(executable, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return path;
}

/** Runs a command to its end and returns what it printed. Throws with its errors. */
export function run(
  command: readonly string[],
  options: { env?: Record<string, string>; stdin?: string } = {},
): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    env: { ...process.env, ...options.env },
    stdin: options.stdin === undefined ? "ignore" : new TextEncoder().encode(options.stdin),
  });
  if (exitCode !== 0) throw new Error(`${command.join(" ")} failed:\n${stdout}${stderr}`);
  return stdout.toString();
}
