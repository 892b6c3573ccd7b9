/**
 * Checks that files and folders with secrets are private.
 *
 * @module
 */
import { statSync } from "node:fs";
import { QfError } from "./errors.ts";

/**
 * Throws ERR_PERMISSION when anyone but its owner may read or write `path`, or the owner is neither this user
 * nor root. A missing path passes. `what` names it: "the database".
 */
export function requirePrivate(path: string, what: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  const self = process.getuid?.();
  if (self !== undefined && found.uid !== self && found.uid !== 0) {
    throw new QfError("ERR_PERMISSION", `${what} ${path} belongs to another user`, {
      hint: "give it to the user who runs management",
    });
  }
  if ((found.mode & 0o077) === 0) return;
  const mode = found.isDirectory() ? "700" : "600";
  throw new QfError("ERR_PERMISSION", `${what} ${path} is open to others`, {
    hint: `run chmod ${mode} ${path}; if others could write to it, do not trust what is in it`,
  });
}
