/**
 * OpenSSH's own regression scripts (Debian package openssh-tests) against our SSH server:
 * `bun test/interop/regress.ts [--direct|--proxy] [SCRIPT…]`. A run of all of them writes `RESULTS.md`.
 * With OPENSSH, the folder of another build, its scripts and its programs run; see `openssh-build.ts`.
 *
 * The scripts run as the local user of a stock machine; what is in `shim/` stands in for sshd and ssh.
 */

import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Algorithms } from "ssh2";
import { renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import { ALGORITHMS, HOST_KEY_ALGORITHMS, plainAlgorithms } from "../../src/sshcore/algorithms.ts";
import { portBeforeAnother } from "../support/echo.ts";
import { openStockMachine, type StockMachine } from "../support/stock-machine.ts";
import { DEBIAN_BUILD, hasScript, type OpenSshBuild, openSshBuild, resultsOf } from "./openssh-build.ts";
import { type Exception, exceptionOf, NOT_APPLICABLE, SCRIPTS, type Script } from "./scripts.ts";

/** The machine's certificates last two minutes. */
const REFRESH_MS = 40_000;
const SCRIPT_MS_MAX = 900_000;
/** Lines of the drop-in that give way to what a person asks for. */
const PREFERENCE = /^Ciphers /;

/** Straight to `--plain-ssh-listen`, or by `qf proxy connect` with the lines of `qf ssh-config`. */
export type Way = "direct" | "proxy";

export interface Outcome {
  readonly name: string;
  /** Skipped: the script itself says that it cannot run here. */
  readonly result: "passed" | "passed in part" | "skipped" | "failed";
  readonly seconds: number;
  /** What it said, without its own progress. */
  readonly output: string;
}

/** Runs `scripts`, `jobs` at once, and gives back what became of each, in order. */
export async function runScripts(
  scripts: readonly Script[],
  options: {
    readonly jobs: number;
    /** How the machine is reached where a script has a ProxyCommand. */
    readonly way?: Way;
    /** Debian's when absent. */
    readonly build?: OpenSshBuild;
    readonly onOutcome?: (outcome: Outcome) => void;
  },
): Promise<Outcome[]> {
  const build = options.build ?? DEBIAN_BUILD;
  await using machine = await openStockMachine({}, await portBeforeAnother());
  const shim = prepareShim(machine, build);
  if (options.way === "proxy") await prepareProxy(machine, shim);
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
      const outcome = await runScript(machine, script, { shim, build });
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
function prepareShim(machine: StockMachine, build: OpenSshBuild): string {
  const folder = dirname(machine.key);
  offer(folder, plainAlgorithms());
  const settings = [`port=${machine.port}`, `ssh=${build.ssh}`, `netcat=${join(build.regress, "netcat")}`];
  writeFileSync(join(folder, "settings"), `${settings.join("\n")}\n`);
  for (const name of ["ssh", "sshd"]) {
    copyFileSync(resolve(import.meta.dir, "shim", name), join(folder, name));
    chmodSync(join(folder, name), 0o755);
  }
  mkdirSync(join(folder, "bin"));
  copyFileSync(resolve(import.meta.dir, "shim/telnet"), join(folder, "bin/telnet"));
  chmodSync(join(folder, "bin/telnet"), 0o755);
  const source = resolve(import.meta.dir, "../support/sftp-main.ts");
  const outfile = join(folder, "sftp-server");
  const built = Bun.spawnSync([process.execPath, "build", "--compile", "--outfile", outfile, source]);
  if (built.exitCode !== 0) throw new Error(`the SFTP server alone: ${built.stderr}`);
  chmodSync(outfile, 0o755);
  return folder;
}

/** Tells the scripts which algorithms to try: what the machine offers where they come. */
function offer(shim: string, algorithms: Algorithms): void {
  const names = [...Object.values(algorithms).flat(), ...HOST_KEY_ALGORITHMS];
  writeFileSync(join(shim, "algorithms"), `${names.join("\n")}\n`);
}

/** A device of the local user's own, kept signed in, and what `qf ssh-config` would write for it. */
async function prepareProxy(machine: StockMachine, shim: string): Promise<void> {
  offer(shim, ALGORITHMS);
  const { lab, account, device, host, ids } = machine;
  const executable = join(shim, "qf");
  const configDir = join(account.home, ".config/qufabric");
  copyFileSync(lab.executable, executable);
  chmodSync(executable, 0o755);
  const login = await machine.run([executable, "login", "--ssh-jwt-cache-ttl", "7200"], {
    ...device.env({ QF_CONFIG_DIR: configDir, QF_DEBUG: "1" }),
  });
  if (login.exitCode !== 0) {
    const log = lab.managementLog().split("\n").slice(-20).join("\n");
    throw new Error(`no login for the local user: ${login.stderr}\nmanagement said last:\n${log}`);
  }
  await machine.run(["chown", "-R", `${ids.uid}:${ids.gid}`, join(account.home, ".config")]);
  const text = renderDropIn({ executable, domain: "qf.internal", configDir, shortNames: false });
  const lines = text.split("\n").flatMap((line) => (line.startsWith("  ") ? [line.trim()] : []));
  const preferences = lines.filter((line) => PREFERENCE.test(line));
  const fixed = lines.filter((line) => !PREFERENCE.test(line));
  const place = [`Hostname ${host}`, `HostKeyAlias ${host}`, "Port 22"];
  // They are put before one another, and the first one wins.
  writeFileSync(join(shim, "proxy-options"), `${[...fixed, ...place].reverse().join("\n")}\n`);
  writeFileSync(join(shim, "proxy-preferences"), `${preferences.join("\n")}\n`);
}

async function runScript(
  machine: StockMachine,
  script: Script,
  { shim, build }: { readonly shim: string; readonly build: OpenSshBuild },
): Promise<Outcome> {
  const objects = join(machine.account.home, script.name);
  const { uid, gid } = machine.ids;
  const privileges = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
  await machine.run(["install", "-d", "-m", "755", "-o", String(uid), "-g", String(gid), objects]);
  for (const name of ["netcat", "modpipe", "mkdtemp", "setuid-allowed", "check-perm"]) {
    symlinkSync(join(build.regress, name), join(objects, name));
  }
  // Only newer scripts have it, and they do without as well.
  const timestamp = join(build.regress, "timestamp");
  if (existsSync(timestamp)) symlinkSync(timestamp, join(objects, "timestamp"));
  symlinkSync(build.config, join(objects, "config.h"));
  const source = join(objects, "script.sh");
  const [from, to] = script.mend ?? ["", ""];
  writeFileSync(
    source,
    readFileSync(join(build.regress, `${script.name}.sh`), "utf8").replace(from, () => to),
  );
  const started = performance.now();
  const child = Bun.spawn(
    [
      // Its ports are the same in every run on this machine.
      ...(script.lane === undefined
        ? []
        : ["flock", "-o", "-w", "150", join(tmpdir(), `qf-regress-${script.lane}.lock`)]),
      ...privileges,
      "timeout",
      "-k",
      "5",
      String(SCRIPT_MS_MAX / 1000),
      "sh",
      join(build.regress, "test-exec.sh"),
      objects,
      script.mend === undefined ? join(build.regress, `${script.name}.sh`) : source,
    ],
    {
      cwd: objects,
      env: { ...environment(machine, objects, shim), ...build.programs },
      stdin: Bun.file("/dev/zero"),
      stdout: Bun.file(join(objects, "output")),
      stderr: Bun.file(join(objects, "errors")),
    },
  );
  const exitCode = await child.exited;
  const seconds = (performance.now() - started) / 1000;
  const text = `${readText(objects, "output")}${readText(objects, "errors")}`;
  const failures = failuresIn(text, readText(objects, "failed-regress.log"));
  if (process.env.QF_REGRESS_KEEP !== undefined && exitCode !== 0) {
    Bun.spawnSync(["cp", "-a", objects, process.env.QF_REGRESS_KEEP]);
  }
  rmSync(objects, { recursive: true, force: true });
  const except = exceptionOf(script, build === DEBIAN_BUILD);
  const result = /^SKIPPED: /m.test(text) && exitCode === 0 ? "skipped" : judge(except, exitCode, failures);
  return { name: script.name, seconds, output: text.trim(), result };
}

function judge(except: Exception | undefined, exitCode: number, failures: readonly string[]) {
  // One that passes whole against its exception is news: the exception has to go.
  if (exitCode === 0 && except === undefined) return "passed";
  const isExpected = except !== undefined && failures.every((line) => except.says.test(line));
  const { times = 0, timesMin = times } = except ?? {};
  const isCounted = failures.length >= timesMin && failures.length <= times;
  return isExpected && isCounted ? "passed in part" : "failed";
}

/** Each failure as it was printed; the log, which others write to as well, says which lines are failures. */
function failuresIn(printed: string, log: string): string[] {
  const plain = (line: string) =>
    line
      .replace(/^(?:FAIL|FATAL): /, "")
      .replace(/\s+/g, " ")
      .trim();
  const known = new Set((log.match(/^(?:FAIL|FATAL): .*$/gm) ?? []).map(plain));
  return printed
    .split("\n")
    .map(plain)
    .filter((line) => known.has(line));
}

function readText(folder: string, name: string): string {
  const path = join(folder, name);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

function environment(machine: StockMachine, objects: string, shim: string): Record<string, string> {
  return {
    PATH: `${join(shim, "bin")}:/usr/bin:/bin:/usr/sbin:/sbin`,
    HOME: machine.account.home,
    LOGNAME: machine.account.name,
    USER: machine.account.name,
    BUILDDIR: objects,
    QF_MANAGEMENT_URL: machine.lab.url,
    QF_NO_BROWSER: "1",
    SHELL: "/bin/sh",
    TEST_SHELL: "sh",
    TEST_SSH_PORT: String(machine.port),
    TEST_SSH_SSH: join(shim, "ssh"),
    TEST_SSH_SSHD: join(shim, "sshd"),
    TEST_SSH_SFTPSERVER: join(shim, "sftp-server"),
    TEST_SSH_UNSAFE_PERMISSIONS: "1",
  };
}

/** Those of ours that this build has: each release adds some and drops some. */
function scriptsOf(build: OpenSshBuild): readonly Script[] {
  return SCRIPTS.filter(({ name }) => hasScript(build, name));
}

/** The table of a whole run, both ways. */
function table(build: OpenSshBuild, direct: readonly Outcome[], proxied: readonly Outcome[]): string {
  const rows = direct.map(({ name, result }) => {
    const script = SCRIPTS.find((one) => one.name === name) ?? { name };
    const { isProxied } = script;
    const except = exceptionOf(script, build === DEBIAN_BUILD);
    const other = isProxied === true ? (proxied.find((one) => one.name === name)?.result ?? "") : "-";
    const note = except === undefined ? "" : `all but ${except.times} checks: ${except.why}`;
    return `| ${name} | ${result} | ${other} | ${note} |`;
  });
  const others = Object.entries(NOT_APPLICABLE).flatMap(([why, names]) => {
    const there = names.filter((name) => hasScript(build, name));
    return there.length === 0 ? [] : [`| ${there.join(", ")} | not applicable | | ${why} |`];
  });
  const head = ["| script | direct | through the ProxyCommand | note |", "|---|---|---|---|"];
  return [...head, ...rows, ...others, ""].join("\n");
}

async function main(args: readonly string[]): Promise<void> {
  const build = openSshBuild(process.env.OPENSSH);
  const names = args.filter((arg) => !arg.startsWith("--"));
  const chosen = scriptsOf(build).filter(({ name }) => names.length === 0 || names.includes(name));
  const run = (way: Way): Promise<Outcome[]> =>
    runScripts(way === "direct" ? chosen : chosen.filter(({ isProxied }) => isProxied), {
      jobs: Number(process.env.QF_REGRESS_JOBS ?? 3),
      way,
      build,
      onOutcome: ({ name, result, seconds, output }) => {
        process.stdout.write(`${way} ${name}: ${result} in ${seconds.toFixed(1)} s\n`);
        if (result === "failed" || result === "skipped")
          process.stdout.write(`${output.replace(/^/gm, "    ")}\n`);
      },
    });
  const direct = args.includes("--proxy") ? [] : await run("direct");
  const proxied = args.includes("--direct") ? [] : await run("proxy");
  if (args.length === 0) {
    const { file, head } = resultsOf(build);
    writeFileSync(resolve(import.meta.dir, file), `${head}\n${table(build, direct, proxied)}`);
  }
  const all = [...direct, ...proxied];
  const failed = all.filter(({ result }) => result === "failed").length;
  process.stdout.write(`${all.length - failed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}

if (import.meta.main) await main(process.argv.slice(2));
