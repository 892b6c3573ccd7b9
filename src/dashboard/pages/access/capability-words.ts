/**
 * Plain words for the capabilities in an access table: what the user may do, and on what conditions.
 *
 * The capability names are those of `qf policy who` (`docs/policy-as-code.md`).
 *
 * @module
 */

export interface AccessWords {
  /** In display order, such as `shell` and `send files`. */
  readonly may: readonly string[];
  /** Conditions, such as `once approved`. Empty means none. */
  readonly only: readonly string[];
}

/** Capabilities and their plain words. `INCLUDED` drops those that another one implies. */
const MAY: readonly (readonly [word: string, text: string])[] = [
  ["shell", "shell"],
  ["exec", "any command"],
  ["sftp_write", "files both ways"],
  ["sftp", "download files"],
  ["local_forward", "forward to any address"],
  ["remote_forward", "listen for others"],
  ["local_socket", "forward to sockets"],
  ["remote_socket", "listen on sockets"],
  ["agent_forwarding", "lend their SSH agent"],
  ["from_unmanaged_device", "from any client"],
];
const INCLUDED: Readonly<Record<string, string>> = { sftp: "sftp_write" };

/** Conditions that hold when the capability is missing. */
const ONLY: readonly (readonly [word: string, text: string])[] = [
  ["without_approval", "once approved"],
  ["without_reason", "saying why"],
  ["without_recent_sign_in", "with a recent sign-in"],
  ["without_recording", "recorded"],
  ["at_any_time", "at certain times"],
];

const PREFIXES: readonly (readonly [prefix: string, text: (about: string) => string])[] = [
  ["exec ", (command) => `run ${command}`],
  ["local_forward ", (target) => `forward to ${target}`],
  ["remote_forward ", (target) => `listen at ${target}`],
];

/** Capabilities that are not listed by themselves, because they only mean something together with others. */
const SILENT: ReadonlySet<string> = new Set(["connect", "pty", ...ONLY.map(([word]) => word)]);

export function accessWords(capabilities: readonly string[]): AccessWords {
  const has = new Set(capabilities);
  const known = MAY.filter(([word]) => has.has(word) && !has.has(INCLUDED[word] ?? ""));
  const named = new Set(MAY.map(([word]) => word));
  const others = capabilities.filter((word) => !named.has(word) && !SILENT.has(word)).map(textOf);
  const may = [...known.map(([, text]) => text), ...others];
  return {
    may: may.length === 0 && has.has("connect") ? ["connect"] : may,
    only: ONLY.filter(([word]) => !has.has(word)).map(([, text]) => text),
  };
}

function textOf(word: string): string {
  const found = PREFIXES.find(([prefix]) => word.startsWith(prefix));
  return found === undefined ? word.replaceAll("_", " ") : found[1](word.slice(found[0].length));
}
