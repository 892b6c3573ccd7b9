/**
 * Logins cached for their TTL: one private file per management origin, replaced as a whole.
 *
 * A login's key, token and ids are in one file, so no reader can mix two logins. With a TTL of 0, the
 * default, nothing is written.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { lstat, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, nowSeconds } from "../base/clock.ts";
import { makeDirectory, readJsonState, writeJsonAtomic } from "../base/files.ts";
import { platform } from "../base/platform/platform.ts";
import { sha256 } from "../base/random.ts";
import { CachedLogin } from "../wire/state-file.ts";
import { isPrivate } from "./client-folder.ts";

export interface LoginCache {
  /**
   * The live login at `origin`. Undefined when there is none, it has expired, or the agent whose TTL cached
   * it has stopped. Throws ERR_STATE_DAMAGED once for a file that does not parse, which is set aside.
   */
  read(origin: string): Promise<CachedLogin | undefined>;
  /** Whether there is a file for `origin`, whatever is in it. */
  mayHave(origin: string): boolean;
  /** Caches `login` until its `untilSeconds`; an expired one is not written. */
  write(login: CachedLogin): Promise<void>;
  remove(origin: string): Promise<void>;
}

export interface LoginCacheOptions {
  readonly clock: Clock;
  /** Folder of the logins, created with mode 0700 for the first one. */
  readonly path: string;
  /** Boot id of the agent running on this machine. Undefined: none. */
  readonly agentBootId: string | undefined;
}

/** Builds the cache; nothing is read or written yet. */
export function createLoginCache({ clock, path, agentBootId }: LoginCacheOptions): LoginCache {
  const fileOf = (origin: string) => join(path, `login-${sha256(origin).slice(0, 22)}.json`);
  const remove = (origin: string) => rm(fileOf(origin), { force: true });
  return {
    mayHave: (origin) => existsSync(fileOf(origin)),
    async read(origin) {
      const file = fileOf(origin);
      if (!(await isTrusted(path, file))) return undefined;
      const login = await readJsonState(file, CachedLogin);
      if (login === undefined) return undefined;
      const isOver = login.untilSeconds <= nowSeconds(clock);
      const isOrphan = login.agentBootId !== undefined && login.agentBootId !== agentBootId;
      if (login.origin !== origin || isOver || isOrphan) {
        await remove(origin);
        return undefined;
      }
      return login;
    },
    async write(login) {
      if (login.untilSeconds <= nowSeconds(clock)) return;
      await makeDirectory(path, 0o700);
      if (await isPrivate(path)) await writeJsonAtomic(fileOf(login.origin), login, 0o600);
    },
    remove,
  };
}

/** Whether folder and file are private; a file that others could have written or read is not used. */
async function isTrusted(folder: string, file: string): Promise<boolean> {
  if (!(await isPrivate(folder))) return false;
  const found = await lstat(file).catch(() => undefined);
  if (found === undefined) return false;
  return found.isFile() && platform.ownership.intruder(file, found) === null;
}
