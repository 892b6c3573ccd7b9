/**
 * Client programs of other SSH libraries (`test/interop/clients/`), each run against Debian's sshd and
 * against a machine of ours. A program is told where to go as JSON in its last argument. It signs in
 * with `key` and `certificate`, or, where `key` is null, by keyboard-interactive: it prints `ASK` and
 * what it was asked as JSON, and reads the code. Then it prints a line for each thing it tried:
 * `NAME: ok`, or `NAME: ` and what went wrong.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { sentenceOf } from "../../src/policy/sentences.ts";
import { type BesideSshd, openBesideSshd } from "./beside-sshd.ts";
import { startEcho } from "./echo.ts";
import { signIn } from "./sign-in.ts";

export interface SshLibrary {
  readonly name: string;
  /** argv before the JSON. */
  readonly command: readonly string[];
  /** Prints its version; fails where it is not installed. */
  readonly version: readonly string[];
  /** What it has, and so has to do. */
  readonly checks: readonly string[];
  /** It takes certificates of users, and so signs in to a machine of ours with one. */
  readonly hasCertificates?: true;
  /**
   * It can carry a file while keys change: whole each time, or, by a fault of its own, now and then without
   * end. Absent: its program does not try.
   */
  readonly rekeyed?: "whole" | "may hang";
}

const PROGRAMS = resolve(import.meta.dir, "../interop/clients");
const BUILT = resolve(import.meta.dir, "../../dist/interop");
const COMMAND_LINE = join(PROGRAMS, "command-line.ts");
const PYTHON = "/usr/bin/python3";
const DENIED_USER = "root";
/** Some ten times what each carries between two key exchanges. */
const TRANSFER_BYTES = 10 << 20;
/** All that a program may try. */
export const SSH_CHECKS = [
  ...["exec", "stdin", "pty", "sftp", "-L", "-R", "unix -L", "unix -R", "keepalive", "rekey", "refusal"],
  "denial",
];
const without = (...names: readonly string[]): string[] => SSH_CHECKS.filter((name) => !names.includes(name));
const RUN_MS_MAX = 100_000;

export const SSH_LIBRARIES: readonly SshLibrary[] = [
  {
    name: "node ssh2",
    command: [process.execPath, join(PROGRAMS, "node-ssh2.ts")],
    version: [process.execPath, "-p", "require('ssh2/package.json').version"],
    checks: SSH_CHECKS,
  },
  {
    name: "asyncssh",
    command: [PYTHON, join(PROGRAMS, "asyncssh-client.py")],
    version: [PYTHON, "-c", "import asyncssh; print(asyncssh.__version__)"],
    checks: SSH_CHECKS,
    rekeyed: "whole",
  },
  {
    name: "paramiko",
    command: [PYTHON, join(PROGRAMS, "paramiko-client.py")],
    version: [PYTHON, "-c", "import paramiko; print(paramiko.__version__)"],
    checks: without("unix -L", "unix -R", "rekey"),
    rekeyed: "may hang",
  },
  {
    name: "net-ssh",
    command: ["ruby", join(PROGRAMS, "net-ssh-client.rb")],
    version: ["ruby", "-e", "require 'net/ssh'; require 'net/sftp'; puts Net::SSH::Version::STRING"],
    checks: without("unix -R"),
  },
  {
    name: "libssh2",
    command: ["perl", join(PROGRAMS, "libssh2-client.pl")],
    version: ["perl", "-e", "use Net::SSH2; print scalar Net::SSH2->new->version, qq(\\n)"],
    checks: without("unix -L", "unix -R", "rekey"),
  },
  { name: "libssh", ...built("libssh-client"), checks: without("unix -R"), rekeyed: "whole" },
];

const { OPENSSH } = process.env;
export const COMMAND_LINE_CLIENTS: readonly SshLibrary[] = [
  openSsh("OpenSSH", "ssh"),
  ...(OPENSSH ? [openSsh("OpenSSH of a build", join(resolve(OPENSSH), "ssh"))] : []),
  {
    name: "dbclient",
    command: [process.execPath, COMMAND_LINE, "dropbear", "dbclient"],
    version: ["sh", "-c", "dbclient -V 2>&1 | sed 's/.* v//'"],
    checks: without("unix -L", "unix -R", "rekey"),
  },
  {
    name: "PuTTY",
    command: [process.execPath, COMMAND_LINE, "putty", "plink"],
    version: ["sh", "-c", "plink -V | sed -n 's/.*Release //p'"],
    checks: without("unix -L", "unix -R"),
    hasCertificates: true,
  },
];

function openSsh(name: string, program: string): SshLibrary {
  return {
    name,
    command: [process.execPath, COMMAND_LINE, "openssh", program],
    version: ["sh", "-c", '"$0" -V 2>&1 | sed "s/OpenSSH_//; s/[ ,].*//"', program],
    checks: SSH_CHECKS,
    hasCertificates: true,
    rekeyed: "whole",
  };
}

/** Those that only `make interop` builds and runs. */
export const BUILT_LIBRARIES: readonly SshLibrary[] = [
  { name: "Go x/crypto", ...built("go-client"), checks: SSH_CHECKS, rekeyed: "whole" },
  { name: "JSch", ...java("JschClient"), checks: without("unix -R"), rekeyed: "may hang" },
  { name: "Apache MINA SSHD", ...java("MinaClient"), checks: without("unix -L", "unix -R") },
  { name: "sshj", ...java("SshjClient"), checks: without("unix -L", "unix -R") },
  { name: "russh", ...built("russh-client"), checks: SSH_CHECKS, rekeyed: "whole" },
];

type Command = Pick<SshLibrary, "command" | "version">;

function built(program: string): Command {
  const path = join(BUILT, program);
  return { command: [path], version: [path, "--version"] };
}

function java(program: string): Command {
  const command = ["java", "-cp", `${join(BUILT, "java/classes")}:${join(BUILT, "java/lib/*")}`, program];
  return { command, version: [...command, "--version"] };
}

/**
 * A machine that takes any client, beside an sshd. The person may enter both as the machine's account, and
 * neither as root.
 */
export function openForLibraries(): Promise<BesideSshd> {
  return openBesideSshd({
    rule: { ssh: { allow_unmanaged_devices: true } },
    sshdConfig: `DenyUsers ${DENIED_USER}\nKbdInteractiveAuthentication no`,
  });
}

/** Builds the programs of compiled languages, or one of them; those that lack their tools are passed over. */
export function buildClients(only?: string): void {
  const words = [join(PROGRAMS, "build.sh"), BUILT, ...(only === undefined ? [] : [only])];
  const result = Bun.spawnSync(["bash", ...words], { stdout: "inherit", stderr: "inherit" });
  if (result.exitCode !== 0) process.stderr.write("some clients could not be built\n");
}

/** Null: it is not installed. */
export function versionOf({ version: [program = "", ...args] }: SshLibrary): string | null {
  if (Bun.which(program) === null) return null;
  const result = Bun.spawnSync([program, ...args], { stderr: "ignore" });
  return result.exitCode === 0 ? result.stdout.toString().trim() : null;
}

/** What came of each check, by its name. */
export async function runLibrary(
  beside: BesideSshd,
  side: Side,
  library: SshLibrary,
): Promise<Record<string, string>> {
  const outcome: Record<string, string> = {};
  const errors = await speak(beside, side, library, {}, (name, text) => {
    // Some libraries say something of their own.
    if (SSH_CHECKS.includes(name)) outcome[name] = text;
  });
  if (Object.keys(outcome).length === 0) outcome.start = errors;
  return outcome;
}

/** What came of each of `count` files that it carries while keys change. */
export async function runTransfers(
  beside: BesideSshd,
  side: Side,
  library: SshLibrary,
  count: number,
): Promise<string[]> {
  const file = join(beside.machine.account.home, "random");
  writeFileSync(file, randomBytes(TRANSFER_BYTES), { mode: 0o644 });
  const outcomes: string[] = [];
  const errors = await speak(beside, side, library, { transfers: count, file }, (name, text) => {
    if (name === "transfer") outcomes.push(text);
  });
  return outcomes.length === 0 ? [errors] : outcomes;
}

type Side = "sshd" | "qf";

/** Runs its program; `onSaid` hears each line with a name. Gives back the end of its standard error. */
async function speak(
  { machine, sshd }: BesideSshd,
  side: Side,
  library: SshLibrary,
  more: Readonly<Record<string, unknown>>,
  onSaid: (name: string, text: string) => void,
): Promise<string> {
  const { account, device, lab } = machine;
  const dir = mkdtempSync(join(account.home, `${side}-${library.name.replaceAll(/[ /]/g, "-")}-`));
  chmodSync(dir, 0o777);
  await using echo = await startEcho();
  await using _unix = await startEcho(join(dir, "echo.sock"));
  chmodSync(join(dir, "echo.sock"), 0o777);
  const isOurs = side === "qf";
  const hasCertificate = isOurs && library.hasCertificates === true;
  if (hasCertificate) await machine.refresh();
  const told = {
    port: isOurs ? machine.port : sshd.port,
    user: account.name,
    key: hasCertificate ? machine.key : isOurs ? null : sshd.key,
    certificate: hasCertificate ? machine.certificate : null,
    dir,
    echoPort: echo.port,
    echoPath: join(dir, "echo.sock"),
    deniedUser: DENIED_USER,
    deniedSays: isOurs ? sentenceOf("local_user_unmapped").sentence : null,
    ...more,
  };
  const child = Bun.spawn([...library.command, JSON.stringify(told)], {
    env: lab.env(),
    cwd: lab.root,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    timeout: RUN_MS_MAX,
  });
  const onLine = async (line: string): Promise<void> => {
    if (!line.startsWith("ASK ")) {
      const at = line.indexOf(": ");
      if (at > 0) onSaid(line.slice(0, at), line.slice(at + 2));
      return;
    }
    const page = /http\S+\/login\/hosted\/\w+/.exec(JSON.parse(line.slice(4)))?.[0] ?? "";
    const { code } = await signIn(page, device.person);
    child.stdin.write(`${code}\n`);
    await child.stdin.flush();
  };
  const errors = new Response(child.stderr).text();
  let text = "";
  for await (const chunk of child.stdout) {
    const lines = (text + new TextDecoder().decode(chunk)).split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) await onLine(line);
  }
  await child.exited;
  return (await errors).trim().slice(-500);
}
