/**
 * Locks of a state folder: one for the agent, one for an upgrade. The kernel releases each when its holder
 * ends for any reason.
 *
 * @module
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { isQfError, QfError } from "../../base/errors.ts";
import { tryLock } from "../../base/file-lock.ts";

export interface StateLock {
  release(): Promise<void>;
}

/** Locks `directory`. Throws ERR_CONFLICT if another agent holds it, ERR_PERMISSION if it is not ours. */
export async function lockState(directory: string): Promise<StateLock> {
  const lock = await take(directory, "lock");
  if (lock !== null) return lock;
  throw new QfError("ERR_CONFLICT", `another agent runs on the state folder ${directory}`, {
    hint: "qf agent status shows it; qf agent down stops it; --state-dir gives another folder",
  });
}

/** Throws ERR_CONFLICT while another upgrade of that agent runs, ERR_PERMISSION like `lockState`. */
export async function lockUpgrade(directory: string): Promise<StateLock> {
  const lock = await take(directory, "upgrade.lock");
  if (lock !== null) return lock;
  throw new QfError("ERR_CONFLICT", "another upgrade goes on here", { hint: "try again when it is over" });
}

/** Null: another process holds it. */
async function take(directory: string, name: string): Promise<StateLock | null> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  const file = await open(join(directory, name), flags, 0o600).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EACCES") throw cause;
    throw new QfError("ERR_PERMISSION", `this user may not run or change the agent on ${directory}`, {
      hint: "run the same command with sudo, or as the agent's own user",
      cause,
    });
  });
  try {
    if (tryLock(file.fd)) return { release: () => file.close() };
  } catch (cause) {
    await file.close();
    throw cause;
  }
  await file.close();
  return null;
}

/** Whether an agent holds `directory` now. */
export async function isStateLocked(directory: string): Promise<boolean> {
  try {
    const lock = await lockState(directory);
    await lock.release();
    return false;
  } catch (cause) {
    if (isQfError(cause, "ERR_CONFLICT")) return true;
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw cause;
  }
}
