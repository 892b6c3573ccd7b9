/**
 * The system log (syslog(3)), for alerts that the machine's administrator must see even if management is
 * silent.
 *
 * @module
 */
import { createCLibrary } from "../../base/c-library.ts";
import { printable } from "../../base/printable.ts";

/** LOG_ALERT of facility LOG_AUTHPRIV (RFC 5424: severity 1, facility 10). */
const AUTHPRIV_ALERT = (10 << 3) | 1;

const library = createCLibrary({ syslog: { args: ["i32", "cstring", "cstring"], returns: "void" } });

/** Writes one line at `alert`. Never throws, also if there is no system log. */
export function alertSystem(sentence: string): void {
  try {
    // The text is passed as an argument, never as the format.
    library().syslog(AUTHPRIV_ALERT, Buffer.from("%s\0"), Buffer.from(`qufabric: ${printable(sentence)}\0`));
  } catch {
    // The agent's own log has the line.
  }
}
