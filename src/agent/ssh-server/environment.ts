/**
 * The environment of a session, built from scratch: what sshd(8) sets, and what the client may send.
 *
 * Only TZ comes from the agent's own environment, so LD_*, BUN_*, NODE_* and the like cannot leak in.
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
  /** PATH for this account, from `loginPath`. */
  readonly path: string;
  /** Terminal path and type. Null without a terminal. */
  readonly terminal: { readonly path: string; readonly type: string } | null;
  /** The client's command where another one runs instead. Null: nothing was forced. */
  readonly originalCommand: string | null;
  /** From the client; the names have been checked. */
  readonly client: ReadonlyMap<string, string>;
  /** The agent's own TZ. */
  readonly timeZone: string | undefined;
  /** Socket to the client's SSH agent. Null: none. */
  readonly agentSocket: string | null;
}

const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/games";
const DEFAULT_ROOT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const LOGIN_DEFS_CHARS_MAX = 262_144;

/** Whether a client may set `name` under `capabilities`. Rules with `commands` allow fewer names. */
export function mayClientSet(name: string, capabilities: SshCapabilities): boolean {
  const hasCommands = capabilities.commands !== undefined && capabilities.commands !== null;
  return mayBeClients(name, hasCommands) && isNamedBy(environmentPatterns(capabilities), name);
}

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

/** Value of SSH_CONNECTION: both ends, in sshd's format. */
export function connectionVariable(origin: StreamOrigin): string {
  return `${origin.sourceAddress} ${origin.sourcePort} ${origin.localAddress} ${origin.localPort}`;
}

/** PATH from login.defs(5) for `uid`, or sshd's built-in default. */
export function loginPath(uid: number, etc = "/etc"): string {
  const name = uid === 0 ? "ENV_SUPATH" : "ENV_PATH";
  const text = readUnchangedText(`${etc}/login.defs`).slice(0, LOGIN_DEFS_CHARS_MAX);
  const found = new RegExp(`^\\s*${name}\\s+(?:PATH=)?(\\S+)`, "m").exec(text)?.[1];
  return found ?? (uid === 0 ? DEFAULT_ROOT_PATH : DEFAULT_PATH);
}
