/**
 * The shell line that joins a machine. The key is an environment variable, so it is in no process listing.
 *
 * @module
 */
import { serverOrigin } from "../../browser/server-origin.ts";

export function joinLine(key: string, origin = serverOrigin()): string {
  return `curl -fsSL ${origin}/install.sh | QF_SETUP_KEY=${key} sh -s -- --allow-server-ssh`;
}
