/**
 * Names of environment variables that a client may set, and those that no policy may let it set. Pure.
 *
 * Patterns are a policy's `ssh.env`. Where a rule lists `commands` a client may have no say in what they do,
 * so there variables that make a program run something else are refused as well; where it lists none, the
 * person runs what they like anyway.
 *
 * @module
 */

/** The loader's, our runtime's, and what says whose session and connection this is. */
const NEVER_PREFIXES = ["LD_", "DYLD_", "BUN_", "NODE_", "SSH_", "QF_"];
/** Set by the server for every session, after what the client sent. */
const SESSION_NAMES: ReadonlySet<string> = new Set([
  ...["HOME", "USER", "LOGNAME", "SHELL", "PATH", "MAIL", "TERM"],
]);
/** Families and names by which shells, interpreters and git run what they are told to. */
const CODE_PREFIXES = ["PYTHON", "PERL5", "RUBY", "BASH_", "GIT_"];
const CODE_NAMES: ReadonlySet<string> = new Set([
  ...["IFS", "ENV", "TMPDIR", "CDPATH", "GCONV_PATH", "PS4", "PROMPT_COMMAND", "SHELLOPTS", "BASHOPTS"],
]);
/** Of those families, what only says who somebody is, or which protocol they speak. */
const HARMLESS = /^GIT_(?:PROTOCOL$|AUTHOR_|COMMITTER_)/;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** Whether `name` may ever be a client's to set; `hasCommands`: under a rule that lists its commands. */
export function mayBeClients(name: string, hasCommands: boolean): boolean {
  if (!NAME.test(name) || SESSION_NAMES.has(name) || startsWithAny(name, NEVER_PREFIXES)) return false;
  return !hasCommands || !changesCode(name);
}

/** Whether one of `patterns` stands for `name`. */
export function isNamedBy(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

/** Why a rule may not have this pattern, as a predicate of it. Null: it may, and it is in force. */
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

/** Of a pattern's stem as well: `GIT_` stands for some that do. */
function changesCode(name: string): boolean {
  if (CODE_NAMES.has(name)) return true;
  return startsWithAny(name, CODE_PREFIXES) && !HARMLESS.test(name);
}

function startsWithAny(name: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => name.startsWith(prefix));
}
