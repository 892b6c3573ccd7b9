/**
 * Refuses a feature that this operating system lacks.
 *
 * @module
 */
import { QfError } from "./errors.ts";
import { platform } from "./platform/platform.ts";

/** Throws ERR_UNAVAILABLE, in one line, when `isThere` is false. `instead` says what this system can do. */
export function requireSystem(isThere: boolean, what: string, instead: string, on = platform): void {
  if (!isThere)
    throw new QfError("ERR_UNAVAILABLE", `${what} is not there on ${on.title}`, { hint: instead });
}
