/**
 * The grammar of ssh(1): options end at the destination, and everything after it is the remote command.
 *
 * Pure. `-o` is in `options.ts`. When two options set the same thing the first wins, as in ssh(1).
 *
 * @module
 */
import { QfError } from "../base/errors.ts";
import type { Endpoint, ForwardSpec } from "./forward-spec.ts";
import {
  addForward,
  applyOption,
  type Draft,
  parseEscape,
  parsePort,
  passOver,
  type TtyRequest,
} from "./options.ts";
import { SWITCHES_PASSED_OVER, VALUES_PASSED_OVER } from "./passed-over.ts";

/** The parsed command line, before any lookup. */
export interface SshInvocation {
  /** Host as typed, in lower case. */
  readonly host: string;
  /** Undefined: the OS user running `qf`. */
  readonly user: string | undefined;
  readonly port: number;
  /** The remote command, words joined by a space. Undefined: a shell. */
  readonly command: string | undefined;
  readonly tty: TtyRequest;
  /** `-N`: no command and no shell. */
  readonly noSession: boolean;
  /** `-n`: stdin from /dev/null. */
  readonly noStdin: boolean;
  /** 0 to 3, by `-v`. */
  readonly verbosity: number;
  readonly quiet: boolean;
  /** Character that begins an escape. Null: none. */
  readonly escape: string | null;
  readonly batchMode: boolean;
  /** Seconds for reaching the peer. Undefined: our default. */
  readonly connectTimeoutSeconds: number | undefined;
  /** 0: no keepalive. */
  readonly serverAliveIntervalSeconds: number;
  readonly serverAliveCountMax: number;
  /** Patterns of variables to send, in addition to LANG and LC_*. */
  readonly sendEnv: readonly string[];
  readonly setEnv: Readonly<Record<string, string>>;
  /** `-L -R -D`, in order. */
  readonly forwards: readonly ForwardSpec[];
  /** `-W`: target of stdin and stdout. */
  readonly stdio: Endpoint | undefined;
  /** `-J` as it was typed. */
  readonly jump: string | undefined;
  /** `-A`. */
  readonly forwardAgent: boolean;
  readonly exitOnForwardFailure: boolean;
  readonly managementUrl: string | undefined;
  readonly noBrowser: boolean;
  /** `--reason` as it was typed. */
  readonly reason: string | undefined;
  /** `-G`: prints the options without connecting. */
  readonly printsOptions: boolean;
  /** Notes about options that have no effect here. */
  readonly passedOver: readonly string[];
}

/** Letters that take a value, attached or as the next argument. */
const WITH_VALUE = "LRDWJlpoeiFcmSEbIQwPBO";
const SSH_PORT = 22;

/**
 * Reads the arguments of `qf ssh`. `help`, `version`: requested instead of a connection. Throws ERR_USAGE.
 */
export function parseSshArgv(args: readonly string[]): SshInvocation | "help" | "version" {
  const draft: Draft = {
    noSession: false,
    noStdin: false,
    verbosity: 0,
    sendEnv: [],
    setEnv: {},
    forwards: [],
    noBrowser: false,
    printsOptions: false,
    passedOver: [],
  };
  let at = 0;
  for (; at < args.length; at += 1) {
    const arg = args[at] ?? "";
    if (arg === "--") {
      at += 1;
      break;
    }
    if (!arg.startsWith("-") || arg === "-") break;
    if (arg === "--help" || arg === "-h") return "help";
    if (/^-[AaGNnqTtVv]*V/.test(arg)) return "version";
    at += arg.startsWith("--") ? readLong(draft, arg, args[at + 1]) : readCluster(draft, arg, args[at + 1]);
  }
  const destination = args[at];
  if (destination === undefined) throw usage("no destination given");
  // ssh(1) reads one `--` after the destination as the end of options.
  const rest = args.slice(at + 1);
  return finish(draft, destination, rest[0] === "--" ? rest.slice(1) : rest);
}

/** Reads `-abc`, `-p22`, `-p 22`. Returns how many further arguments it took. */
function readCluster(draft: Draft, arg: string, next: string | undefined): 0 | 1 {
  for (let index = 1; index < arg.length; index += 1) {
    const letter = arg[index] ?? "";
    if (!WITH_VALUE.includes(letter)) {
      readSwitch(draft, letter);
      continue;
    }
    const glued = arg.slice(index + 1);
    const value = glued === "" ? next : glued;
    if (value === undefined) throw usage(`-${letter} needs a value`);
    readValue(draft, letter, value);
    return glued === "" ? 1 : 0;
  }
  return 0;
}

function readSwitch(draft: Draft, letter: string): void {
  if (letter === "t") draft.tty = draft.tty === "yes" || draft.tty === "force" ? "force" : "yes";
  else if (letter === "T") draft.tty = "no";
  else if (letter === "N") draft.noSession = true;
  else if (letter === "n") draft.noStdin = true;
  else if (letter === "v") draft.verbosity = Math.min(3, draft.verbosity + 1);
  else if (letter === "q") draft.quiet = true;
  else if (letter === "G") draft.printsOptions = true;
  else if (letter === "A" || letter === "a") draft.forwardAgent = letter === "A";
  else {
    const why = SWITCHES_PASSED_OVER[letter];
    if (why === undefined) throw unknownOption(letter);
    // As in ssh(1), -f implies -n.
    if (letter === "f") draft.noStdin = true;
    passOver(draft, `-${letter}`, why);
  }
}

function readValue(draft: Draft, letter: string, value: string): void {
  if (letter === "l") draft.user ??= value;
  else if (letter === "p") draft.port ??= parsePort(value);
  else if (letter === "o") applyOption(draft, value);
  else if (letter === "e") draft.escape = parseEscape(value);
  else if (letter === "i") {
    throw new QfError("ERR_USAGE", "-i is not for qf ssh", {
      hint: "it signs in as you, with your identity provider; there are no key files",
    });
  } else if ("LRDWJ".includes(letter)) addForward(draft, letter, value);
  else {
    const why = VALUES_PASSED_OVER[letter];
    if (why === undefined) throw unknownOption(letter);
    passOver(draft, `-${letter}`, why);
  }
}

/** Reads our own long options. Returns how many further arguments it took. */
function readLong(draft: Draft, arg: string, next: string | undefined): 0 | 1 {
  if (arg === "--no-browser") {
    draft.noBrowser = true;
    return 0;
  }
  const [, name, glued] = /^--(management-url|reason)(?:=(.*))?$/s.exec(arg) ?? [];
  if (name === undefined) throw usage(`unknown option ${arg.replace(/=.*/s, "")}`);
  const value = glued ?? next;
  if (value === undefined) throw usage(`--${name} needs a value`);
  const key = name === "reason" ? "reason" : "managementUrl";
  if (draft[key] !== undefined) throw usage(`--${name} is given more than once`);
  draft[key] = value;
  return glued === undefined ? 1 : 0;
}

function finish(draft: Draft, destination: string, words: readonly string[]): SshInvocation {
  const { user, host, port } = parseDestination(destination);
  return {
    host,
    user: draft.user ?? user,
    port: draft.port ?? port ?? SSH_PORT,
    command: words.length === 0 ? undefined : words.join(" "),
    tty: draft.tty ?? "auto",
    noSession: draft.noSession,
    noStdin: draft.noStdin,
    verbosity: draft.verbosity,
    quiet: draft.quiet ?? false,
    escape: draft.escape === undefined ? "~" : draft.escape,
    batchMode: draft.batchMode ?? false,
    connectTimeoutSeconds: draft.connectTimeoutSeconds,
    serverAliveIntervalSeconds: draft.serverAliveIntervalSeconds ?? 0,
    serverAliveCountMax: draft.serverAliveCountMax ?? 3,
    sendEnv: draft.sendEnv,
    setEnv: draft.setEnv,
    forwards: draft.noForwards === true ? [] : draft.forwards,
    stdio: draft.stdio,
    jump: draft.jump === "none" ? undefined : draft.jump,
    forwardAgent: draft.forwardAgent ?? false,
    exitOnForwardFailure: draft.exitOnForwardFailure ?? draft.stdio !== undefined,
    managementUrl: draft.managementUrl,
    noBrowser: draft.noBrowser,
    reason: draft.reason,
    printsOptions: draft.printsOptions,
    passedOver: draft.passedOver,
  };
}

/** `[user@]host` or `ssh://[user@]host[:port]`. The user ends at the last @, as in ssh(1). */
function parseDestination(text: string): { user?: string; host: string; port?: number } {
  const isUri = text.startsWith("ssh://");
  const authority = isUri ? text.slice("ssh://".length).replace(/\/$/, "") : text;
  const split = authority.lastIndexOf("@");
  const userText = split === -1 ? undefined : authority.slice(0, split);
  const rest = authority.slice(split + 1);
  const match = isUri ? /^(.*?)(?::(\d+))?$/s.exec(rest) : null;
  const host = (match?.[1] ?? rest).toLowerCase();
  if (userText === "") throw usage("the user before @ is empty");
  if (!/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/.test(host)) {
    throw usage(`${JSON.stringify(host)} is not a host name or address`);
  }
  return {
    host,
    ...(userText === undefined ? {} : { user: isUri ? decodeUser(userText) : userText }),
    ...(match?.[2] === undefined ? {} : { port: parsePort(match[2]) }),
  };
}

function decodeUser(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw usage("the user in the URL is not well formed");
  }
}

function unknownOption(letter: string): QfError {
  return usage(`option -${letter} is not available`);
}

function usage(message: string): QfError {
  return new QfError("ERR_USAGE", message);
}
