import { homedir } from "node:os";
import { join, resolve } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the machine's own agent, which runs as root, keeps its state. */
export const DEFAULT_STATE_DIR = "/var/lib/qufabric";

/** Where an agent keeps its state when nobody says: /var/lib/qufabric for root, XDG for anybody else. */
export function defaultStateDir(uid: number, env: Environment): string {
  if (uid === 0) return DEFAULT_STATE_DIR;
  return join(env.XDG_STATE_HOME || join(env.HOME || homedir(), ".local", "state"), "qufabric");
}

/**
 * State folders of the agent that a client on this machine belongs to, likeliest first: the one that
 * QF_AGENT_STATE_DIR (for clients alone) or QF_STATE_DIR names, else the machine's, else the person's own.
 */
export function clientStateDirs(uid: number, env: Environment): string[] {
  const named = env.QF_AGENT_STATE_DIR || env.QF_STATE_DIR;
  if (named) return [resolve(named)];
  return [...new Set([DEFAULT_STATE_DIR, defaultStateDir(uid, env)])];
}
