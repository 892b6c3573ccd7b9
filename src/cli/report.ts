/**
 * Report of a failure to a person: a `qf: error:` line, perhaps a `qf: hint:` line, and an exit status. No
 * stack unless QF_DEBUG=1.
 *
 * @module
 */
import { FAILURES, isQfError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { systemFailure } from "../base/system-error.ts";

/** Reports `error` on stderr. Returns its exit status. */
export function reportError(error: unknown): number {
  if (isQfError(error)) {
    say("error", error.message);
    if (error.hint !== undefined) say("hint", error.hint);
    debugStack(error);
    return FAILURES[error.code].exitCode;
  }
  const refused = systemFailure(error);
  if (refused !== undefined) {
    say("error", refused.message);
    if (refused.hint !== undefined) say("hint", refused.hint);
    debugStack(error);
    return FAILURES.ERR_INTERNAL.exitCode;
  }
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  say("error", `something unexpected happened (ERR_INTERNAL): ${firstLine(what)}`);
  if (process.env.QF_DEBUG !== "1") say("hint", "set QF_DEBUG=1 to see where, and report it");
  debugStack(error);
  return FAILURES.ERR_INTERNAL.exitCode;
}

/** Prints one line on stderr, without control characters, which could control a terminal. */
export function say(kind: "error" | "hint" | "warning" | "note" | "debug", line: string): void {
  process.stderr.write(`qf: ${kind}: ${printable(line)}\n`);
}

function firstLine(text: string): string {
  return (text.split("\n")[0] ?? "").slice(0, 500);
}

function debugStack(error: unknown): void {
  if (process.env.QF_DEBUG !== "1" || !(error instanceof Error)) return;
  process.stderr.write(`${error.stack ?? error.message}\n`);
  if (error.cause instanceof Error) {
    process.stderr.write(`caused by ${error.cause.stack ?? error.cause.message}\n`);
  }
}
