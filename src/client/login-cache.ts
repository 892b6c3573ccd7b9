/**
 * Logins kept for their TTL: one file per management origin, the person's own, replaced as a whole.
 *
 * Key, token and ids of a login are in that one file, so no reader ever pairs parts of two logins.
 * A TTL of 0, the default, writes nothing at all.
 *
 * @module
 */
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
   * The live login at `origin`. Undefined: none, it has expired, or the agent that asked for it to be
   * kept is gone. Throws ERR_STATE_DAMAGED, once, for a file that does not parse: it is set aside.
   */
  read(origin: string): Promise<CachedLogin | undefined>;
  /** Keeps `login` until its `untilSeconds`; one that is over by now is not written. */
  write(login: CachedLogin): Promise<void>;
  remove(origin: string): Promise<void>;
}

export interface LoginCacheOptions {
  readonly clock: Clock;
  /** Folder of the logins; made 0700 when the first one is kept. */
  readonly path: string;
  /** Boot of the agent on this machine now. Undefined: none runs. */
  readonly agentBootId: string | undefined;
}

/** Builds the cache; nothing is read or written yet. */
export function createLoginCache({ clock, path, agentBootId }: LoginCacheOptions): LoginCache {
  const fileOf = (origin: string) => join(path, `login-${sha256(origin).slice(0, 22)}.json`);
  const remove = (origin: string) => rm(fileOf(origin), { force: true });
  return {
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

/** Whether folder and file are ours alone; a file that others could have written or read is no login. */
async function isTrusted(folder: string, file: string): Promise<boolean> {
  if (!(await isPrivate(folder))) return false;
  const found = await lstat(file).catch(() => undefined);
  if (found === undefined) return false;
  return found.isFile() && platform.ownership.intruder(file, found) === null;
}
