/**
 * Serialises sign-ins per login folder: of twenty connections without a login, one prompts the person and the
 * others use the resulting login.
 *
 * @module
 */
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { QfError } from "../base/errors.ts";
import { tryLock } from "../base/file-lock.ts";
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
  const fd = openSync(join(folder, LOCK_FILE), "a", 0o600);
  try {
    await takeLock(fd);
    return await work();
  } finally {
    closeSync(fd);
  }
}

async function isLoginKept(options: ClientSessionOptions): Promise<boolean> {
  const { folder, machine } = await openClientSession(options);
  return ((await folder.readConfig()).ttlSeconds ?? machine?.ttlSeconds ?? 0) > 0;
}

async function takeLock(fd: number): Promise<void> {
  const startedMs = systemClock.monotonicMs();
  while (!tryLock(fd)) {
    if (systemClock.monotonicMs() - startedMs > LOGIN_TIMEOUT_MS) {
      throw new QfError("ERR_TIMEOUT", "another connection has waited for a sign-in all this time", {
        hint: "finish it, or run qf login",
      });
    }
    await Bun.sleep(POLL_MS);
  }
}
