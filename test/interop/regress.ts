/**
 * OpenSSH's own regression scripts (Debian package openssh-tests) against our SSH server:
 * `bun test/interop/regress.ts [--quick] [--write] [SCRIPT…]`. Prints a table; fails when a script does.
 *
 * The scripts run as the local user of a stock machine; `./sshd` and `./ssh` here stand in for theirs.
 */
import { chmodSync, copyFileSync, existsSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ALGORITHMS, HOST_KEY_ALGORITHMS } from "../../src/sshcore/algorithms.ts";
import { openStockMachine, type StockMachine } from "../support/stock-machine.ts";
import { SCRIPTS, type Script } from "./scripts.ts";

export const REGRESS = "/usr/lib/openssh/regress";
/** The machine's certificates last two minutes. */
const REFRESH_MS = 40_000;
const SCRIPT_MS_MAX = 900_000;

export interface Outcome {
  readonly name: string;
  readonly result: "passed" | "failed" | "skipped";
  readonly seconds: number;
  /** What it said, without its own progress. */
  readonly output: string;
}

/** Runs `scripts`, `jobs` at once, and gives back what became of each, in order. */
export async function runScripts(
  scripts: readonly Script[],
  options: { readonly jobs: number; readonly onOutcome?: (outcome: Outcome) => void },
): Promise<Outcome[]> {
  await using machine = await openStockMachine();
  const shim = prepareShim(machine);
  const refresh = setInterval(() => void machine.refresh(), REFRESH_MS);
  const waiting = [...scripts];
  const busyLanes = new Set<string>();
  const outcomes = new Map<string, Outcome>();
  const work = async (): Promise<void> => {
    while (waiting.length > 0) {
      const index = waiting.findIndex(({ lane }) => lane === undefined || !busyLanes.has(lane));
      const [script] = index === -1 ? [] : waiting.splice(index, 1);
      if (script === undefined) {
        await Bun.sleep(200);
        continue;
      }
      if (script.lane !== undefined) busyLanes.add(script.lane);
      const outcome = await runScript(machine, script, shim);
      if (script.lane !== undefined) busyLanes.delete(script.lane);
      outcomes.set(script.name, outcome);
      options.onOutcome?.(outcome);
    }
  };
  try {
    await Promise.all(Array.from({ length: options.jobs }, work));
  } finally {
    clearInterval(refresh);
  }
  return scripts.flatMap(({ name }) => outcomes.get(name) ?? []);
}

/** The stand-ins with what they read, beside the keys, where the local user gets at them. */
function prepareShim(machine: StockMachine): string {
  const folder = dirname(machine.key);
  const algorithms = [...Object.values(ALGORITHMS).flat(), ...HOST_KEY_ALGORITHMS];
  writeFileSync(join(folder, "algorithms"), `${algorithms.join("\n")}\n`);
  writeFileSync(join(folder, "settings"), `port=${machine.port}\n`);
  for (const name of ["ssh", "sshd"]) {
    copyFileSync(resolve(import.meta.dir, "shim", name), join(folder, name));
    chmodSync(join(folder, name), 0o755);
  }
  const source = resolve(import.meta.dir, "../support/sftp-main.ts");
  const outfile = join(folder, "sftp-server");
  const built = Bun.spawnSync([process.execPath, "build", "--compile", "--outfile", outfile, source]);
  if (built.exitCode !== 0) throw new Error(`the SFTP server alone: ${built.stderr}`);
  chmodSync(outfile, 0o755);
  return folder;
}

async function runScript(machine: StockMachine, script: Script, shim: string): Promise<Outcome> {
  const objects = join(machine.account.home, script.name);
  const { uid, gid } = machine.ids;
  const privileges = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
  await machine.run(["install", "-d", "-m", "755", "-o", String(uid), "-g", String(gid), objects]);
  for (const name of ["netcat", "modpipe", "mkdtemp", "setuid-allowed", "check-perm", "config.h"]) {
    symlinkSync(join(REGRESS, name), join(objects, name));
  }
  const started = performance.now();
  const child = Bun.spawn(
    [
      ...privileges,
      "timeout",
      "-k",
      "5",
      String(SCRIPT_MS_MAX / 1000),
      "sh",
      join(REGRESS, "test-exec.sh"),
      objects,
      join(REGRESS, `${script.name}.sh`),
    ],
    {
      cwd: objects,
      env: environment(machine, objects, shim),
      stdin: Bun.file("/dev/zero"),
      stdout: Bun.file(join(objects, "output")),
      stderr: Bun.file(join(objects, "errors")),
    },
  );
  const exitCode = await child.exited;
  const seconds = (performance.now() - started) / 1000;
  const text = `${await Bun.file(join(objects, "output")).text()}${await Bun.file(join(objects, "errors")).text()}`;
  if (process.env.QF_REGRESS_KEEP !== undefined && exitCode !== 0) {
    Bun.spawnSync(["cp", "-a", objects, process.env.QF_REGRESS_KEEP]);
  }
  rmSync(objects, { recursive: true, force: true });
  return { name: script.name, seconds, ...judge(script, exitCode, text) };
}

function judge(script: Script, exitCode: number, text: string): Pick<Outcome, "result" | "output"> {
  const lines = text.split("\n").filter((line) => line !== "");
  const skipped = lines.find((line) => /^SKIPPED|^skipped/i.test(line));
  const expected = lines.filter((line) => script.except?.says.test(line)).length;
  const output = text.trim();
  if (exitCode === 0) return { result: skipped === undefined ? "passed" : "skipped", output };
  return { result: "failed", output: `${output}\n(exit ${exitCode}, ${expected} expected)` };
}

function environment(machine: StockMachine, objects: string, shim: string): Record<string, string> {
  return {
    PATH: "/usr/bin:/bin:/usr/sbin:/sbin",
    HOME: machine.account.home,
    LOGNAME: machine.account.name,
    USER: machine.account.name,
    BUILDDIR: objects,
    TEST_SHELL: "sh",
    TEST_SSH_PORT: String(machine.port),
    TEST_SSH_SSH: join(shim, "ssh"),
    TEST_SSH_SSHD: join(shim, "sshd"),
    TEST_SSH_SFTPSERVER: join(shim, "sftp-server"),
    TEST_SSH_UNSAFE_PERMISSIONS: "1",
  };
}

if (import.meta.main) {
  if (!existsSync(REGRESS)) throw new Error("install openssh-tests first");
  const names = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
  const isQuick = process.argv.includes("--quick");
  const chosen = SCRIPTS.filter(({ name, isQuick: quick }) =>
    names.length > 0 ? names.includes(name) : !isQuick || quick === true,
  );
  const outcomes = await runScripts(chosen, {
    jobs: Number(process.env.QF_REGRESS_JOBS ?? 4),
    onOutcome: ({ name, result, seconds, output }) => {
      console.log(`${name}: ${result} in ${seconds.toFixed(1)} s`);
      if (result !== "passed") console.log(output.replace(/^/gm, "    "));
    },
  });
  process.exitCode = outcomes.every(({ result }) => result !== "failed") ? 0 : 1;
}
