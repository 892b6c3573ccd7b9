/**
 * The agent's state folders, by user and environment.
 *
 * @module
 */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { platform } from "./platform/platform.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** State folder of the machine's agent, which runs as root. */
export const DEFAULT_STATE_DIR = "/var/lib/qufabric";

/**
 * Default state folder of an agent: /var/lib/qufabric for root, otherwise `qufabric` in XDG_STATE_HOME or
 * ~/.local/state (XDG Base Directory Specification).
 */
export function defaultStateDir(uid: number, env: Environment): string {
  if (uid === 0) return DEFAULT_STATE_DIR;
  return join(env.XDG_STATE_HOME || join(env.HOME || homedir(), ".local", "state"), "qufabric");
}

/**
 * State folders in which a client looks for its machine's agent, likeliest first: the one that
 * QF_AGENT_STATE_DIR (for clients only) or QF_STATE_DIR names; otherwise the machine's, then the person's
 * own. Empty on systems without an agent, where anyone could own such a folder.
 */
export function clientStateDirs(uid: number, env: Environment, on = platform): string[] {
  const named = env.QF_AGENT_STATE_DIR || env.QF_STATE_DIR;
  if (named) return [resolve(named)];
  if (on.machineStateDir === null) return [];
  return [...new Set([DEFAULT_STATE_DIR, defaultStateDir(uid, env)])];
}
