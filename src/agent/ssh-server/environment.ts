/**
 * The environment of a session, made from nothing: what sshd(8) sets, and what the client may send.
 *
 * Nothing of the agent's own environment gets in but TZ, so LD_*, BUN_*, NODE_* and the like cannot.
 *
 * @module
 */
import { environmentPatterns } from "../../policy/decide/capabilities.ts";
import { isNamedBy, mayBeClients } from "../../wire/client-environment.ts";
import type { SshCapabilities } from "../../wire/policy.ts";
import type { StreamOrigin } from "../contracts/stream-origin.ts";
import { readUnchangedText } from "../os/local-text.ts";
import type { LocalAccount } from "../os/users.ts";

export interface EnvironmentFacts {
  readonly account: LocalAccount;
  readonly origin: StreamOrigin;
  /** PATH for this account, as `loginPath` found it. */
  readonly path: string;
  /** Terminal path and type. Null without a terminal. */
  readonly terminal: { readonly path: string; readonly type: string } | null;
  /** What the client asked for instead of the command that runs. Null: nothing was forced. */
  readonly originalCommand: string | null;
  /** Taken from the client, names already allowed. */
  readonly client: ReadonlyMap<string, string>;
  /** The agent's own TZ. */
  readonly timeZone: string | undefined;
  /** Socket that leads to the client's SSH agent. Null: none. */
  readonly agentSocket: string | null;
}

const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/games";
const DEFAULT_ROOT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const LOGIN_DEFS_CHARS_MAX = 262_144;

/** Whether a client may set `name` under `capabilities`; with `commands`, only what is written. */
export function mayClientSet(name: string, capabilities: SshCapabilities): boolean {
  const hasCommands = capabilities.commands !== undefined && capabilities.commands !== null;
  return mayBeClients(name, hasCommands) && isNamedBy(environmentPatterns(capabilities), name);
}

/** The whole environment of a session. */
export function sessionEnvironment(facts: EnvironmentFacts): Record<string, string> {
  const { account, origin, terminal } = facts;
  const environment: Record<string, string> = {};
  for (const [name, value] of facts.client) environment[name] = value;
  environment.USER = account.name;
  environment.LOGNAME = account.name;
  environment.HOME = account.home;
  environment.SHELL = account.shell;
  environment.PATH = facts.path;
  environment.MAIL = `/var/mail/${account.name}`;
  environment.SSH_CLIENT = `${origin.sourceAddress} ${origin.sourcePort} ${origin.localPort}`;
  environment.SSH_CONNECTION = connectionVariable(origin);
  if (facts.timeZone !== undefined) environment.TZ = facts.timeZone;
  if (facts.agentSocket !== null) environment.SSH_AUTH_SOCK = facts.agentSocket;
  if (terminal !== null) {
    environment.TERM = terminal.type;
    environment.SSH_TTY = terminal.path;
  }
  if (facts.originalCommand !== null) environment.SSH_ORIGINAL_COMMAND = facts.originalCommand;
  return environment;
}

/** Value of SSH_CONNECTION: both ends, as sshd writes them. */
export function connectionVariable(origin: StreamOrigin): string {
  return `${origin.sourceAddress} ${origin.sourcePort} ${origin.localAddress} ${origin.localPort}`;
}

/** PATH of login.defs(5) for `uid`, or what sshd is built with. */
export function loginPath(uid: number, etc = "/etc"): string {
  const name = uid === 0 ? "ENV_SUPATH" : "ENV_PATH";
  const text = readUnchangedText(`${etc}/login.defs`).slice(0, LOGIN_DEFS_CHARS_MAX);
  const found = new RegExp(`^\\s*${name}\\s+(?:PATH=)?(\\S+)`, "m").exec(text)?.[1];
  return found ?? (uid === 0 ? DEFAULT_ROOT_PATH : DEFAULT_PATH);
}
