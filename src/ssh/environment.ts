/**
 * Environment variables sent with a session: LANG and LC_*, those matching SendEnv, those set by SetEnv.
 * Pure.
 *
 * @module
 */
import type { SshInvocation } from "./argv.ts";

const SENT_ALWAYS = ["LANG", "LC_*"];
/** Bounds what one session can cost the peer. */
const VARIABLES_MAX = 128;
/** Never sent, whatever the patterns. */
const NEVER_SENT = /^QF_/;

/** Variables of `environment` to send. SetEnv wins; `-PATTERN` removes what an earlier pattern selected. */
export function sentEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  { sendEnv, setEnv }: Pick<SshInvocation, "sendEnv" | "setEnv">,
): Record<string, string> {
  const patterns = [...SENT_ALWAYS, ...sendEnv];
  const sent = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && isNamed(entry[0], patterns),
  );
  return Object.fromEntries([...sent, ...Object.entries(setEnv)].slice(0, VARIABLES_MAX));
}

function isNamed(name: string, patterns: readonly string[]): boolean {
  if (NEVER_SENT.test(name)) return false;
  let named = false;
  for (const pattern of patterns) {
    const isTakenBack = pattern.startsWith("-");
    if (matches(name, isTakenBack ? pattern.slice(1) : pattern)) named = !isTakenBack;
  }
  return named;
}

/** `*` is any text, `?` any one character. */
function matches(name: string, pattern: string): boolean {
  const source = [...pattern].map((char) => (char === "*" ? ".*" : char === "?" ? "." : char)).join("");
  return new RegExp(`^${source}$`).test(name);
}
