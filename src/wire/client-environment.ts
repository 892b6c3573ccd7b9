/**
 * Environment variables that a client may set, and those that no policy can allow. Pure.
 *
 * Patterns come from a policy's `ssh.env`. If a rule lists `commands`, variables that make a program run
 * other code are refused too, since the client must not change what those commands do. Without `commands` the
 * person can run anything anyway.
 *
 * @module
 */

/** Variables of the loader, of our runtime, and those that describe the session and connection. */
const NEVER_PREFIXES = ["LD_", "DYLD_", "BUN_", "NODE_", "SSH_", "QF_"];
/** Set by the server for every session, overriding the client's. */
const SESSION_NAMES: ReadonlySet<string> = new Set([
  ...["HOME", "USER", "LOGNAME", "SHELL", "PATH", "MAIL", "TERM"],
]);
/** Families and names through which shells, interpreters and git can be made to run code. */
const CODE_PREFIXES = ["PYTHON", "PERL5", "RUBY", "BASH_", "GIT_"];
const CODE_NAMES: ReadonlySet<string> = new Set([
  ...["IFS", "ENV", "TMPDIR", "CDPATH", "GCONV_PATH", "PS4", "PROMPT_COMMAND", "SHELLOPTS", "BASHOPTS"],
]);
/** Harmless members of those families: they only name a person or a protocol version. */
const HARMLESS = /^GIT_(?:PROTOCOL$|AUTHOR_|COMMITTER_)/;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** Whether a client may ever set `name`. `hasCommands`: the rule lists its commands. */
export function mayBeClients(name: string, hasCommands: boolean): boolean {
  if (!NAME.test(name) || SESSION_NAMES.has(name) || startsWithAny(name, NEVER_PREFIXES)) return false;
  return !hasCommands || !changesCode(name);
}

/** Whether one of `patterns` matches `name`. */
export function isNamedBy(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

/** Why a rule may not have this pattern, as a predicate. Null: it may, and the pattern has an effect. */
export function refusalOfPattern(pattern: string, hasCommands: boolean): string | null {
  const isFamily = pattern.endsWith("*");
  const stem = isFamily ? pattern.slice(0, -1) : pattern;
  if (startsWithAny(stem, NEVER_PREFIXES) || (!isFamily && SESSION_NAMES.has(stem))) {
    return "names a variable that is never taken from a client";
  }
  if (hasCommands && changesCode(stem)) {
    return "names a variable that can change what a listed command does; leave it out, or leave out commands";
  }
  return null;
}

/** Also takes a pattern's stem: `GIT_` matches some names that do. */
function changesCode(name: string): boolean {
  if (CODE_NAMES.has(name)) return true;
  return startsWithAny(name, CODE_PREFIXES) && !HARMLESS.test(name);
}

function startsWithAny(name: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => name.startsWith(prefix));
}
