/**
 * Inspects the ssh(1) that called us, and checks that its options are still safe.
 *
 * Its options come from configuration files and its command line. `ssh -G` takes as long as connecting, so
 * good results are remembered by a digest over the command line's options and the state of every file read.
 *
 * @module
 */
import { appendFileSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { QfError } from "../base/errors.ts";
import { platform } from "../base/platform/platform.ts";
import { sha256 } from "../base/random.ts";
import { named } from "../base/system-error.ts";
import type { Environment } from "./keys/openssh-folder.ts";
import { readEffective, weakenedOptions } from "./ssh-config/effective.ts";

/** In the OpenSSH folder: one line per good result, with its digest and who checks host keys. */
const CHECKED_FILE = "_checked";
const CHECKED_BYTES_MAX = 65_536;
/** Bounds on following Include. */
const FILES_MAX = 128;
const DEPTH_MAX = 8;
/** Options of ssh(1) that take a value. */
const WITH_VALUE = new Set("BbcDEeFIiJLlmOopPQRSWw");

/** The ssh that runs us through its shell's `exec`. */
export interface Caller {
  readonly pid: string;
  readonly executable: string;
  /** `-F` and `-o` of its command line, as separate words. */
  readonly options: readonly string[];
  /** From `-l`, or before the host's `@`. Undefined: set by ssh's configuration. */
  readonly user?: string;
}

/** Inspects our parent process. Undefined when it is not ssh, or the system cannot tell. */
export function findCaller(pid: number = process.ppid): Caller | undefined {
  try {
    const executable = readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, "");
    if (basename(executable) !== "ssh") return undefined;
    const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(1, -1);
    const user = userOption(argv);
    return {
      ...{ pid: String(pid), executable, options: configOptions(argv) },
      ...(user === undefined ? {} : { user }),
    };
  } catch {
    return undefined;
  }
}

/** `-F` and `-o` with their values from ssh(1)'s arguments, including those after the host. */
export function configOptions(argv: readonly string[]): string[] {
  return wordsOf(argv).found;
}

/** The user in ssh(1)'s arguments: from `-l`, or before the host's `@`. Undefined: none. */
export function userOption(argv: readonly string[]): string | undefined {
  const { user, host } = wordsOf(argv);
  const at = host.replace(/^ssh:\/\//, "").lastIndexOf("@");
  return user ?? (at > 0 ? host.replace(/^ssh:\/\//, "").slice(0, at) : undefined);
}

/** The OS user that the caller will request. Undefined: unknown. */
export async function localUserOf(
  { executable, options, user }: Caller,
  host: string,
  environment: Environment,
): Promise<string | undefined> {
  if (user !== undefined) return user;
  const { effective } = await readEffective({ ssh: executable, args: options, host, environment });
  return effective?.get("user")?.[0];
}

/** The arguments that select configuration, user and host. The first of each counts. */
function wordsOf(argv: readonly string[]): { found: string[]; user: string | undefined; host: string } {
  const found: string[] = [];
  let user: string | undefined;
  let host = "";
  let hosts = 0;
  for (let i = 0; i < argv.length && hosts < 2; i++) {
    const word = argv[i] ?? "";
    if (word === "--") break;
    if (!word.startsWith("-") || word === "-") {
      hosts += 1; // The second one is the command.
      if (hosts === 1) host = word;
      continue;
    }
    for (let at = 1; at < word.length; at++) {
      const letter = word[at] ?? "";
      if (!WITH_VALUE.has(letter)) continue;
      const value = at + 1 < word.length ? word.slice(at + 1) : (argv[++i] ?? "");
      if (letter === "F" || letter === "o") found.push(`-${letter}`, value);
      if (letter === "l") user ??= value;
      break;
    }
  }
  return { found, user, host };
}

/** Which program verifies the peer's host key. */
export type HostKeyChecker = "ssh" | "qf";

/**
 * Throws ERR_SSH when the caller would bypass us or leak our key. Returns `qf` when the caller could accept
 * another machine's host key for `host`, or when the system cannot tell who called. A caller other than
 * ssh(1) checks host keys itself.
 */
export async function checkCaller(options: {
  readonly caller: Caller | undefined;
  readonly host: string;
  readonly folder: string;
  readonly environment: Environment;
  /** Default: whether this system can tell who started us. */
  readonly seesCallers?: boolean;
}): Promise<HostKeyChecker> {
  const { caller, host, folder, environment, seesCallers = platform.seesCallers } = options;
  if (!seesCallers) return "qf";
  if (caller === undefined) return "ssh";
  const path = join(folder, CHECKED_FILE);
  const state = sha256(JSON.stringify([caller, host, configState(caller, environment)].map(withoutPid)));
  const known = readChecked(path, state);
  if (known !== undefined) return known;
  const args = caller.options;
  const { effective } = await readEffective({ ssh: caller.executable, args, host, environment });
  if (effective === undefined) return "ssh";
  const { needed, hostKeys } = weakenedOptions(effective);
  if (needed.length > 0) {
    throw new QfError("ERR_SSH", `your ssh configuration changes ${needed.join(", ")} for ${host}`, {
      hint: "remove it from the command line or from above QuFabric's lines (ssh -G shows it), or use qf ssh",
    });
  }
  const checker = hostKeys.length > 0 ? "qf" : "ssh";
  try {
    appendFileSync(path, `${state} ${checker}\n`, { mode: 0o600 });
  } catch (cause) {
    throw named(cause, path);
  }
  return checker;
}

/** Drops pid and user, which do not affect the configuration. */
function withoutPid(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("pid" in value)) return value;
  return { ...value, pid: "", user: "" };
}

function readChecked(path: string, state: string): HostKeyChecker | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (found.size > CHECKED_BYTES_MAX) {
    rmSync(path, { force: true });
    return undefined;
  }
  const lines = readFileSync(path, "utf8").split("\n");
  return (["qf", "ssh"] as const).find((checker) => lines.includes(`${state} ${checker}`));
}

/** Every configuration file that ssh reads, with metadata that changes when the file does. */
function configState({ options }: Caller, environment: Environment): string[] {
  const files: string[] = [];
  const own = options.flatMap((word, i) => (options[i - 1] === "-F" ? [word] : [])).at(-1);
  const home = join(environment.HOME ?? "/", ".ssh");
  if (own !== undefined) visit(own, home, 0, files);
  else {
    visit(join(home, "config"), home, 0, files);
    visit("/etc/ssh/ssh_config", "/etc/ssh", 0, files);
  }
  return files;
}

function visit(path: string, folder: string, depth: number, files: string[]): void {
  const found = statSync(path, { throwIfNoEntry: false });
  files.push(`${path} ${found?.ino} ${found?.size} ${found?.mtimeMs} ${found?.ctimeMs}`);
  if (found?.isFile() !== true || depth >= DEPTH_MAX || files.length >= FILES_MAX) return;
  for (const pattern of includesOf(path)) {
    const expanded = pattern.replace(/^~\//, `${dirname(folder)}/`);
    const full = isAbsolute(expanded) ? expanded : join(folder, expanded);
    for (const file of expand(full)) visit(file, folder, depth + 1, files);
  }
}

function includesOf(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return []; // Then ssh cannot read it either.
  }
  return [...text.matchAll(/^[ \t]*include[ \t=]+(.*)$/gim)].flatMap(
    ([, rest = ""]) => rest.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', "")) ?? [],
  );
}

function expand(pattern: string): string[] {
  if (!/[*?[]/.test(pattern)) return [pattern];
  try {
    const glob = new Bun.Glob(basename(pattern));
    return [...glob.scanSync({ cwd: dirname(pattern), absolute: true, onlyFiles: false })].sort();
  } catch {
    return [];
  }
}
