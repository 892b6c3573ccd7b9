/**
 * The Windows client under Wine 10, in a root file system of its own.
 *
 * Two programs of Windows are stood in for: icacls, which does nothing in Wine, by one that uses the Windows
 * API as it does (`icacls.c`); and OpenSSH for Windows, which no package holds, by Debian's ssh with the same
 * configuration (`wine-ssh.sh`, started by `wine-ssh.c`). Files have a umask in place of the rights that they
 * inherit on Windows.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type RunResult, runProcess } from "../support/run-process.ts";
import { Guest } from "./guest.ts";
import { unpackPlatformRoot, WINE_ROOT } from "./roots.ts";

const RELEASES = resolve(import.meta.dir, "../../dist/release");
const COMPILER = "x86_64-w64-mingw32-gcc";
const PREFIX = "/srv/wine";
const HOME = `${PREFIX}/drive_c/users/root`;
const SSH = "/root/wine-ssh.sh";
const PROGRAM = "C:\\Program Files\\QuFabric\\qf.exe";
const CONFIG = "C:\\users\\root\\.config\\qufabric";
/**
 * Its server stays: one that ends with the last program resets the connection of a program that starts just
 * then. Files have the server's umask.
 */
const PREPARE = `umask 077
mkdir -p -m 700 /run/wine && wineboot --init && wineserver -w && wineserver -p >/dev/null 2>&1`;
const ENVIRONMENT = {
  WINEPREFIX: PREFIX,
  WINEDEBUG: "-all",
  WINEDLLOVERRIDES: "icacls.exe=n",
  XDG_RUNTIME_DIR: "/run/wine",
};

/**
 * In drive C, since drive Z has what no Windows has. Output goes to files: a program in Wine passes no socket
 * on to those that it starts.
 */
const IN_FILES = `umask 077; cd ${HOME}; out=$(mktemp -d)
"$@" >$out/1 2>$out/2 </dev/null; rc=$?
cat $out/1; cat $out/2 >&2; rm -r $out; exit $rc`;

export interface WindowsOptions {
  readonly version: string;
  readonly url: string;
  /** Token of a service user, which signs in. */
  readonly bot: string;
  /** The executable for Linux, and what enrols it as `machine`, which the bot may enter as `deploy`. */
  readonly executable: string;
  readonly setupKey: string;
  readonly machine: string;
  readonly check: (what: string, holds: boolean, detail?: string) => void;
}

export async function tryWindows(options: WindowsOptions): Promise<void> {
  process.stdout.write(`== ${WINE_ROOT.title}\n`);
  const folder = mkdtempSync(join(tmpdir(), "qf-platform-"));
  try {
    const root = join(folder, "root");
    unpackPlatformRoot(WINE_ROOT, root);
    await using guest = await Guest.start(root);
    await guest.run(["sh", "-c", PREPARE], ENVIRONMENT);
    await putPrograms(root, options);
    await startMachine(guest, root, options);
    const qf = (...words: string[]) => run(guest, ["wine", PROGRAM, ...words], options);
    await tryFolder(guest, qf, options);
    await tryCommands(qf, options);
    await tryOpenssh(guest, qf, options);
    await guest.run(["wineserver", "-k"], ENVIRONMENT);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A Linux machine in the same root, since it has the account. */
async function startMachine(guest: Guest, root: string, options: WindowsOptions): Promise<void> {
  copyFileSync(options.executable, join(root, "usr/local/bin/qf"));
  const flags = ["--management-url", options.url, "--name", options.machine, "--listen", "127.0.0.1:0"];
  const env = { QF_SETUP_KEY: options.setupKey, QF_DISABLE_SSH_CONFIG: "1" };
  const up = await guest.run(["qf", "agent", "up", "--allow-server-ssh", ...flags], env);
  if (up.exitCode !== 0) throw new Error(up.stderr);
}

type Qf = (...words: string[]) => Promise<RunResult>;

function run(guest: Guest, words: readonly string[], { url, bot }: WindowsOptions): Promise<RunResult> {
  const env = { ...ENVIRONMENT, QF_MANAGEMENT_URL: url, QF_TOKEN: bot };
  return guest.run(["sh", "-c", IN_FILES, "sh", ...words], env);
}

async function putPrograms(root: string, { version }: WindowsOptions): Promise<void> {
  const drive = join(root, PREFIX, "drive_c");
  const system = join(drive, "windows/system32");
  mkdirSync(join(drive, "Program Files/QuFabric"), { recursive: true });
  mkdirSync(join(system, "OpenSSH"), { recursive: true });
  const released = join(RELEASES, version, "qf-windows-x64.exe");
  copyFileSync(released, join(drive, "Program Files/QuFabric/qf.exe"));
  copyFileSync(join(import.meta.dir, "wine-ssh.sh"), join(root, SSH));
  await compile("icacls.c", join(system, "icacls.exe"));
  await compile("wine-pipes.c", join(drive, "pipes.exe"));
  await compile("wine-ssh.c", join(system, "OpenSSH/ssh.exe"));
}

async function compile(source: string, target: string): Promise<void> {
  const flags = ["-municode", "-O1", "-o", target, join(import.meta.dir, source), "-ladvapi32"];
  const built = await runProcess([COMPILER, ...flags], { env: { PATH: process.env.PATH ?? "" } });
  if (built.exitCode !== 0) throw new Error(built.stderr);
}

async function tryFolder(guest: Guest, qf: Qf, options: WindowsOptions): Promise<void> {
  const { check } = options;
  const first = await qf("whoami");
  check("the first command makes its folder", first.exitCode === 0, first.stderr);
  const icacls = (...words: string[]) => run(guest, ["wine", "icacls", CONFIG, ...words], options);
  const listed = await icacls();
  const isClosed = listed.stdout.includes("root:(OI)(CI)(F)") && !listed.stdout.includes("Everyone");
  check("the folder of its keys is closed to others", isClosed, listed.stdout);
  await guest.run(["chmod", "755", join(HOME, ".config/qufabric")]);
  const open = await qf("whoami");
  check(
    "it refuses when the folder is open",
    open.exitCode !== 0 && /open to|others/.test(open.stderr),
    open.stderr,
  );
  await icacls("/inheritance:r", "/grant:r", "root:(OI)(CI)F");
  const again = await qf("whoami");
  check("and goes on after what its hint says", again.exitCode === 0, again.stderr);
}

async function tryCommands(qf: Qf, { machine, check }: WindowsOptions): Promise<void> {
  const commands: [words: string[], says: RegExp][] = [
    [["version"], /^qf \d/],
    [["help", "policy", "create"], /usage: qf policy create/],
    [["completion", "bash"], /__complete/],
    [["ssh", "-o", "ConnectTimeout=60", `deploy@${machine}`, "id -un"], /^deploy\r?$/m],
    [["ssh", `deploy@${machine}`, "exit 7"], /^$/],
    [["whoami"], /bot/],
    [["ping", "-c", "1", machine], /relay|direct/],
    [["doctor"], /ok +client/],
  ];
  for (const [words, says] of commands) {
    const ran = await qf(...words);
    const isRight = says.test(ran.stdout) && (words.at(-1) !== "exit 7" || ran.exitCode === 7);
    check(
      `qf ${words.join(" ").replace(machine, "MACHINE")}`,
      isRight,
      `${ran.exitCode} ${ran.stdout}${ran.stderr}`,
    );
  }
  const refused: [words: string[], says: RegExp][] = [
    [["agent", "up", "--allow-server-ssh"], /an agent is not there on Windows/],
    [["proxy", "socks"], /this system does not say whose program connects/],
    [["ssh-config", "install", "--short-names"], /short names/],
  ];
  for (const [words, says] of refused) {
    const ran = await qf(...words);
    const lines = ran.stderr.split("\n").filter((line) => line.startsWith("qf: error:"));
    check(
      `qf ${words.join(" ")} ends with one line`,
      ran.exitCode !== 0 && lines.length === 1 && says.test(lines[0] ?? ""),
      `${ran.exitCode} ${ran.stdout}${ran.stderr}`,
    );
  }
}

async function tryOpenssh(guest: Guest, qf: Qf, options: WindowsOptions): Promise<void> {
  const { machine, check } = options;
  const config = "C:\\users\\root\\.ssh\\config";
  const file = join(HOME, ".ssh/config");
  const before = "Host other\n  User x\n";
  await guest.run(["sh", "-c", `mkdir -p "$(dirname ${file})" && printf '${before}' >${file}`]);
  const installed = await qf("ssh-config", "install");
  check("qf ssh-config install", installed.exitCode === 0, installed.stderr + installed.stdout);
  const ssh = (...words: string[]) => run(guest, ["sh", SSH, "-F", config, ...words], options);
  const first = await ssh(`deploy@${machine}.qf.internal`, "id -un");
  check("ssh by that configuration", first.stdout === "deploy\n", first.stderr);
  const many = await Promise.all([1, 2, 3].map((n) => ssh(`deploy@${machine}.qf.internal`, `echo ${n}`)));
  check(
    "three at once",
    many.map(({ stdout }) => stdout.trim()).join() === "1,2,3",
    many.map(({ stderr }) => stderr).join(),
  );
  const data = await ssh(`deploy@${machine}.qf.internal`, "head -c 3000000 /dev/zero | wc -c; exit 7");
  check("its exit status", data.exitCode === 7 && data.stdout.trim() === "3000000", data.stderr);
  const bytes = await ssh(`deploy@${machine}.qf.internal`, "head -c 3000000 /dev/zero");
  check("3 MB arrive whole", bytes.stdout.length === 3_000_000, `${bytes.stdout.length} ${bytes.stderr}`);
  const denied = await ssh(`nobody@${machine}.qf.internal`, "true");
  check("another account is refused", denied.exitCode === 255, denied.stdout);
  const other = await ssh("-G", "github.com");
  check("other hosts are not changed", !/proxycommand/i.test(other.stdout), other.stdout);
  const left = await guest.run(["ls", join(HOME, ".config/qufabric/openssh")]);
  check("no key is left", !/^[^_\n]+$/m.test(left.stdout), left.stdout);
  const removed = await qf("ssh-config", "remove");
  const after = await guest.run(["cat", file]);
  check("remove leaves the file as it was", after.stdout === before, removed.stderr + after.stdout);
}
