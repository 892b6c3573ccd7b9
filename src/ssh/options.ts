/**
 * `-o Key=value`, as far as it applies here. Options that are harmless to ignore are ignored with a note
 * (`passed-over.ts`); all others are refused by name, since the person may rely on them.
 *
 * @module
 */
import { QfError } from "../base/errors.ts";
import {
  type Endpoint,
  type ForwardSpec,
  parseDynamicForward,
  parseLocalForward,
  parseRemoteForward,
  parseStdioForward,
} from "./forward-spec.ts";
import { KEYS_PASSED_OVER, passedOverLine } from "./passed-over.ts";

/** Whether to request a terminal: `auto` only for a shell, `force` even without a local one. */
export type TtyRequest = "auto" | "no" | "yes" | "force";

/** Most forwards in one command line. */
const FORWARDS_MAX = 64;

/** An invocation while it is being read; `undefined` is "not set yet". */
export interface Draft {
  user?: string;
  port?: number;
  tty?: TtyRequest;
  noSession: boolean;
  noStdin: boolean;
  verbosity: number;
  quiet?: boolean;
  escape?: string | null;
  batchMode?: boolean;
  connectTimeoutSeconds?: number;
  serverAliveIntervalSeconds?: number;
  serverAliveCountMax?: number;
  sendEnv: string[];
  setEnv: Record<string, string>;
  forwards: ForwardSpec[];
  noForwards?: boolean;
  stdio?: Endpoint;
  jump?: string;
  forwardAgent?: boolean;
  exitOnForwardFailure?: boolean;
  managementUrl?: string;
  reason?: string;
  /** Notes about options that have no effect here. */
  passedOver: string[];
  noBrowser: boolean;
  printsOptions: boolean;
}

/** Applies `text`, `Key=value` or `Key value`, to `draft`. Earlier settings win. Throws ERR_USAGE. */
export function applyOption(draft: Draft, text: string): void {
  const match = /^\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*?)\s*$/s.exec(text);
  const [, key, value] = match ?? [];
  if (key === undefined || value === undefined || value === "") {
    throw usage(`-o ${JSON.stringify(text)} is not Key=value`);
  }
  const name = key.toLowerCase();
  const passed = Object.hasOwn(KEYS_PASSED_OVER, name) ? KEYS_PASSED_OVER[name] : undefined;
  if (passed !== undefined) {
    passOver(draft, `-o ${key}`, passed);
    return;
  }
  const take = Object.hasOwn(TAKEN, name) ? TAKEN[name] : undefined;
  if (take === undefined) {
    throw new QfError("ERR_USAGE", `-o ${key} is not available`, {
      hint: `known are ${OPTION_NAMES.join(", ")}`,
    });
  }
  take(draft, value, key);
}

/** Records an ignored option, once per note. */
export function passOver(draft: Draft, written: string, why: string): void {
  const line = passedOverLine(written, why);
  if (line !== undefined && !draft.passedOver.includes(line)) draft.passedOver.push(line);
}

type Take = (draft: Draft, value: string, key: string) => void;

const NAMES = {
  batchmode: "BatchMode",
  clearallforwardings: "ClearAllForwardings",
  connecttimeout: "ConnectTimeout",
  dynamicforward: "DynamicForward",
  escapechar: "EscapeChar",
  exitonforwardfailure: "ExitOnForwardFailure",
  forwardagent: "ForwardAgent",
  localforward: "LocalForward",
  loglevel: "LogLevel",
  port: "Port",
  remoteforward: "RemoteForward",
  requesttty: "RequestTTY",
  sendenv: "SendEnv",
  serveralivecountmax: "ServerAliveCountMax",
  serveraliveinterval: "ServerAliveInterval",
  setenv: "SetEnv",
  user: "User",
} as const;

/** The options that `-o` accepts, in their usual spelling. */
export const OPTION_NAMES: readonly string[] = Object.values(NAMES);

const TAKEN: Readonly<Record<string, Take>> = {
  batchmode: (draft, value, key) => {
    draft.batchMode ??= yesOrNo(key, value);
  },
  clearallforwardings: (draft, value, key) => {
    draft.noForwards ??= yesOrNo(key, value);
  },
  dynamicforward: (draft, value) => addForward(draft, "D", value),
  exitonforwardfailure: (draft, value, key) => {
    draft.exitOnForwardFailure ??= yesOrNo(key, value);
  },
  forwardagent: (draft, value, key) => {
    draft.forwardAgent ??= yesOrNo(key, value);
  },
  // In ssh_config the two parts are separate words.
  localforward: (draft, value) => addForward(draft, "L", value.replace(/\s+/, ":")),
  remoteforward: (draft, value) => addForward(draft, "R", value.replace(/\s+/, ":")),
  connecttimeout: (draft, value, key) => {
    if (value === "none") return;
    draft.connectTimeoutSeconds ??= seconds(key, value);
  },
  escapechar: (draft, value) => {
    if (draft.escape === undefined) draft.escape = parseEscape(value);
  },
  loglevel: takeLogLevel,
  port: (draft, value) => {
    draft.port ??= parsePort(value);
  },
  requesttty: (draft, value, key) => {
    const tty = value.toLowerCase();
    if (tty !== "auto" && tty !== "no" && tty !== "yes" && tty !== "force") {
      throw usage(`${key} must be auto, no, yes or force`);
    }
    draft.tty ??= tty;
  },
  sendenv: (draft, value, key) => {
    for (const pattern of value.split(/\s+/)) {
      if (!/^-?[A-Za-z_*?][A-Za-z0-9_*?]*$/.test(pattern)) throw usage(`${key} has a bad pattern`);
      draft.sendEnv.push(pattern);
    }
  },
  serveralivecountmax: (draft, value, key) => {
    draft.serverAliveCountMax ??= Math.max(1, seconds(key, value));
  },
  serveraliveinterval: (draft, value, key) => {
    draft.serverAliveIntervalSeconds ??= seconds(key, value);
  },
  setenv: (draft, value, key) => {
    const [, name, quoted] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(value) ?? [];
    if (name === undefined || quoted === undefined) throw usage(`${key} must be NAME=value`);
    draft.setEnv[name] ??= quoted.replace(/^"(.*)"$/s, "$1");
  },
  user: (draft, value) => {
    // A name with a space is quoted, as in ssh_config.
    draft.user ??= value.replace(/^"(.*)"$/s, "$1");
  },
};

/** Applies the value of -L, -R, -D, -W or -J. Throws ERR_USAGE. */
export function addForward(draft: Draft, letter: string, value: string): void {
  if (letter === "J") {
    draft.jump ??= value;
  } else if (letter === "W") {
    draft.stdio ??= parseStdioForward(value);
    draft.noSession = true;
    draft.tty ??= "no";
  } else {
    if (draft.forwards.length >= FORWARDS_MAX) throw usage(`more than ${FORWARDS_MAX} forwards`);
    const parse =
      letter === "L" ? parseLocalForward : letter === "R" ? parseRemoteForward : parseDynamicForward;
    draft.forwards.push(parse(value));
  }
}

/** Maps ssh(1)'s log levels to verbosity. */
function takeLogLevel(draft: Draft, value: string, key: string): void {
  const level = value.toLowerCase();
  const verbosity = ["quiet", "fatal", "error", "info", "verbose", "debug", "debug1", "debug2", "debug3"];
  const index = verbosity.indexOf(level);
  if (index === -1) throw usage(`${key} must be one of ${verbosity.join(", ")}`);
  draft.quiet ??= index <= 2;
  if (draft.verbosity === 0) draft.verbosity = index <= 3 ? 0 : Math.min(3, Math.max(1, index - 5));
}

/** A TCP port. Throws ERR_USAGE. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw usage(`${JSON.stringify(text)} is not a port`);
}

/** `none`, one character, or `^` and a letter. Throws ERR_USAGE. */
export function parseEscape(text: string): string | null {
  if (text === "none") return null;
  if (/^\^[@-_a-z]$/.test(text)) return String.fromCharCode(text.charCodeAt(1) & 0x1f);
  if ([...text].length === 1) return text;
  throw usage(`${JSON.stringify(text)} is not an escape character`);
}

function yesOrNo(key: string, value: string): boolean {
  if (value === "yes" || value === "true") return true;
  if (value === "no" || value === "false") return false;
  throw usage(`${key} must be yes or no`);
}

function seconds(key: string, value: string): number {
  if (/^\d{1,6}$/.test(value)) return Number(value);
  throw usage(`${key} must be a whole number`);
}

function usage(message: string): QfError {
  return new QfError("ERR_USAGE", message);
}
