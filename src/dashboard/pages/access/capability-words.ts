/**
 * Words of an access table for people: what one may do there, and what it does not cost.
 *
 * The words themselves are those of `qf policy who` (`docs/policy-as-code.md`).
 *
 * @module
 */

export interface AccessWords {
  /** In their order, such as `shell` and `send files`. */
  readonly may: readonly string[];
  /** What has to be done or holds besides, such as `once approved`. Empty: nothing. */
  readonly only: readonly string[];
}

/** What is granted, in the words of a person; a word that another one includes is left out. */
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

/** What holds where the word is missing. */
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

/** Parts that only make sense with another one, and say nothing by themselves. */
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
