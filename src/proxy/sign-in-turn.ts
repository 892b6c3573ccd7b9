/**
 * Serialises sign-ins per login folder: of twenty connections without a login, one prompts the person and the
 * others use the resulting login.
 *
 * @module
 */
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { QfError } from "../base/errors.ts";
import { tryLockPath } from "../base/lock-file.ts";
import { type ClientSessionOptions, openClientSession } from "../client/client-session.ts";
import { LOGIN_TIMEOUT_MS } from "../client/login.ts";

/** In the OpenSSH folder. No host name contains `_`. */
const LOCK_FILE = "_sign-in";
const POLL_MS = 50;

/** Runs `work`, exclusively among our processes if the login will be cached. */
export async function withSignInTurn<T>(
  options: ClientSessionOptions,
  folder: string,
  work: () => Promise<T>,
): Promise<T> {
  if (!(await isLoginKept(options))) return work();
  const release = await takeLock(join(folder, LOCK_FILE));
  try {
    return await work();
  } finally {
    release();
  }
}

async function isLoginKept(options: ClientSessionOptions): Promise<boolean> {
  const { folder, machine } = await openClientSession(options);
  return ((await folder.readConfig()).ttlSeconds ?? machine?.ttlSeconds ?? 0) > 0;
}

async function takeLock(path: string): Promise<() => void> {
  const startedMs = systemClock.monotonicMs();
  for (;;) {
    const release = tryLockPath(path);
    if (release !== null) return release;
    if (systemClock.monotonicMs() - startedMs > LOGIN_TIMEOUT_MS) {
      throw new QfError("ERR_TIMEOUT", "another connection has waited for a sign-in all this time", {
        hint: "finish it, or run qf login",
      });
    }
    await Bun.sleep(POLL_MS);
  }
}
