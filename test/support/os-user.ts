/** OS accounts made for one test and removed after it. They need root. */
import { newId } from "../../src/base/random.ts";

export interface OsUser {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
  remove(): void;
}

/** `useradd` with a home; `options` go before the name. */
export function addOsUser(options: readonly string[] = ["-s", "/bin/sh"]): OsUser {
  const name = `qft${newId().slice(0, 10)}`;
  run(["useradd", "-m", ...options, name]);
  const uid = Number(run(["id", "-u", name]));
  return {
    name,
    uid,
    home: `/home/${name}`,
    remove() {
      Bun.spawnSync(["pkill", "-KILL", "-u", String(uid)]);
      Bun.spawnSync(["userdel", "-r", "-f", name]);
    },
  };
}

/** Runs a system tool; throws with what it said when it fails. */
export function run(argv: string[]): string {
  const result = Bun.spawnSync(argv);
  if (result.exitCode !== 0) throw new Error(`${argv.join(" ")}: ${result.stderr.toString()}`);
  return result.stdout.toString().trim();
}

export const isRoot = process.getuid?.() === 0;
