/**
 * The command line of a session: its argv, and the signals that reach it. Pure.
 *
 * @module
 */
import type { Grant } from "../../wire/decision.ts";
import type { LocalAccount } from "../os/users.ts";

/** What the client asked to run. */
export type Start =
  | { readonly kind: "shell" }
  | { readonly kind: "sftp" }
  | { readonly kind: "exec"; readonly command: string };

export interface Argv {
  readonly file: string;
  readonly words: readonly string[];
  /** True: the rule lists its commands, and no shell interprets them. */
  readonly isListed: boolean;
}

/** Signals of the protocol (RFC 4254 section 6.9) by their system names. */
const SIGNALS: Readonly<Record<string, NodeJS.Signals>> = {
  ABRT: "SIGABRT",
  ALRM: "SIGALRM",
  FPE: "SIGFPE",
  HUP: "SIGHUP",
  ILL: "SIGILL",
  INT: "SIGINT",
  KILL: "SIGKILL",
  PIPE: "SIGPIPE",
  QUIT: "SIGQUIT",
  SEGV: "SIGSEGV",
  TERM: "SIGTERM",
  USR1: "SIGUSR1",
  USR2: "SIGUSR2",
};
/** ssh(1) uses this status for "no session". */
export const REFUSED_STATUS = 255;
/** Shells add this to a signal's number to form a status. */
const SIGNAL_STATUS_BASE = 128;

/** The login shell, `$SHELL -c` without login, or a listed command verbatim, without a shell or rc files. */
export function argvOf(start: Start, account: LocalAccount, { capabilities }: Grant): Argv {
  const base = account.shell.slice(account.shell.lastIndexOf("/") + 1);
  if (start.kind === "sftp") return { file: account.shell, words: ["sftp-server"], isListed: false };
  if (start.kind === "shell") return { file: account.shell, words: [`-${base}`], isListed: false };
  if (capabilities.commands !== undefined && capabilities.commands !== null) {
    const words = start.command.split(" ");
    return { file: words[0] ?? "", words, isListed: true };
  }
  return { file: account.shell, words: [base, "-c", start.command], isListed: false };
}

/**
 * What runs, for lists that other people see. Arguments may be secrets and are left out. Null: nothing yet.
 */
export function describeStart(start: Start | null): string {
  if (start === null) return "<idle>";
  if (start.kind === "shell") return "<interactive shell>";
  if (start.kind === "sftp") return "<sftp>";
  const words = start.command.trim().split(/\s+/);
  const program = (words[0] ?? "").slice(0, 256);
  return words.length > 1 ? `${program} [${words.length - 1} args]` : program;
}

/** The signal that a client names. Undefined: not in the list. */
export function signalOf(name: string): NodeJS.Signals | undefined {
  return Object.hasOwn(SIGNALS, name) ? SIGNALS[name] : undefined;
}

/** How an exit is reported to the client: by signal name where the protocol has one, else by status. */
export function endOf(exit: {
  readonly status: number | null;
  readonly signal: string | null;
}): { readonly signal: string } | { readonly status: number } {
  if (exit.signal === null) return { status: exit.status ?? REFUSED_STATUS };
  const name = exit.signal.replace(/^SIG/, "");
  if (Object.hasOwn(SIGNALS, name)) return { signal: name };
  return { status: SIGNAL_STATUS_BASE + (SIGNAL_NUMBERS[exit.signal] ?? 0) };
}

/** Signals that end a process but have no name in the protocol. Numbers of x64 and arm64. */
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGTRAP: 5,
  SIGBUS: 7,
  SIGSTKFLT: 16,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
};
