/**
 * The line by which a machine joins. The key is a variable of the shell, so it is on no list of processes.
 *
 * @module
 */
import { serverOrigin } from "../../browser/server-origin.ts";

export function joinLine(key: string, origin = serverOrigin()): string {
  return `curl -fsSL ${origin}/install.sh | QF_SETUP_KEY=${key} sh -s -- --allow-server-ssh`;
}
