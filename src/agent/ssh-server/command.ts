/**
 * The command line of a session: its argv, and the signals that reach it. Pure.
 *
 * @module
 */
import type { Grant } from "../../wire/decision.ts";
import type { LocalAccount } from "../os/users.ts";

/** What runs in a session, as the client asked for it. */
export type Start =
  | { readonly kind: "shell" }
  | { readonly kind: "sftp" }
  | { readonly kind: "exec"; readonly command: string };

export interface Argv {
  readonly file: string;
  readonly words: readonly string[];
  /** True where a rule lists its commands and no shell reads them. */
  readonly isListed: boolean;
}

/** Signals that go over the wire (RFC 4254 section 6.9), as the system calls them. */
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
/** How ssh(1) says "no session". */
export const REFUSED_STATUS = 255;
/** What a shell adds to a signal's number to make a status of it. */
const SIGNAL_STATUS_BASE = 128;

/** Login shell, `$SHELL -c` without login, or a listed command as it stands, without a shell or rc files. */
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

/** What runs, for a list that others see: never the arguments, which may be secrets. Null: nothing yet. */
export function describeStart(start: Start | null): string {
  if (start === null) return "<idle>";
  if (start.kind === "shell") return "<interactive shell>";
  if (start.kind === "sftp") return "<sftp>";
  const words = start.command.trim().split(/\s+/);
  const program = (words[0] ?? "").slice(0, 256);
  return words.length > 1 ? `${program} [${words.length - 1} args]` : program;
}

/** The signal a client names; undefined for one that is not in the list. */
export function signalOf(name: string): NodeJS.Signals | undefined {
  return Object.hasOwn(SIGNALS, name) ? SIGNALS[name] : undefined;
}

/** How an end is told to the client: a signal by its name where the protocol has one, else a status. */
export function endOf(exit: {
  readonly status: number | null;
  readonly signal: string | null;
}): { readonly signal: string } | { readonly status: number } {
  if (exit.signal === null) return { status: exit.status ?? REFUSED_STATUS };
  const name = exit.signal.replace(/^SIG/, "");
  if (Object.hasOwn(SIGNALS, name)) return { signal: name };
  return { status: SIGNAL_STATUS_BASE + (SIGNAL_NUMBERS[exit.signal] ?? 0) };
}

/** Signals that end a process and have no name in the protocol; numbers of x64 and arm64. */
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
