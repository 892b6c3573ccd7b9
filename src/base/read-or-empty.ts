/**
 * Small files that may be missing. Imports only node:fs: commands that ssh(1) waits for use it.
 *
 * @module
 */
import { readFileSync } from "node:fs";

/** The text of a file. Empty: it cannot be read. */
export function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
