/**
 * The key file on a system where `qf proxy connect` stays for the whole connection, and cannot see that
 * ssh(1) has read it (macOS, Windows).
 *
 * ssh signs right after its key exchange. So the file stays until ssh has sent as much as a signature takes
 * (`hand-over.ts`), at most for a while or until the connection ends, and is then removed: the next ssh would
 * read it before it starts us. Of two connections with different keys to one host, the second waits.
 *
 * @module
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { tryLockPath } from "../../base/lock-file.ts";
import { readOrEmpty } from "../../base/read-or-empty.ts";
import { holdsKeyOf } from "./held-key.ts";
import { keyFileNames, replaceFile } from "./key-readers.ts";
import { isInUse, STAYING_MS } from "./stale-key.ts";

/** Longest wait for another connection to the host. */
const WAIT_MS_MAX = 60_000;
const POLL_MS = 50;

/** A key file that ssh may read. */
export interface StayingKey {
  /** Removes the file, unless another connection has put its own there. The first call counts. */
  remove(): void;
}

/** Writes `text` where ssh reads it. Throws ERR_TIMEOUT when other keys are in use there for a minute. */
export async function publishStaying(
  folder: string,
  host: string,
  text: string,
  clock: Clock,
): Promise<StayingKey> {
  const path = join(folder, keyFileNames(host).key);
  const release = await takeLock(join(folder, keyFileNames(host).turn), clock);
  try {
    await untilFree(path, text, clock);
    replaceFile(path, text);
  } finally {
    release();
  }
  const remove = (): void => {
    clearTimeout(timer);
    if (readOrEmpty(path) === text) rmSync(path, { force: true });
  };
  const timer = setTimeout(remove, STAYING_MS);
  timer.unref();
  return { remove };
}

async function untilFree(path: string, text: string, clock: Clock): Promise<void> {
  const startedMs = clock.monotonicMs();
  while (isInUse(path, clock) && !holdsKeyOf(readOrEmpty(path), text)) {
    await waitOnce(startedMs, clock);
  }
}

async function takeLock(path: string, clock: Clock): Promise<() => void> {
  const startedMs = clock.monotonicMs();
  for (;;) {
    const release = tryLockPath(path);
    if (release !== null) return release;
    await waitOnce(startedMs, clock);
  }
}

async function waitOnce(startedMs: number, clock: Clock): Promise<void> {
  if (clock.monotonicMs() - startedMs > WAIT_MS_MAX) {
    throw new QfError("ERR_TIMEOUT", "other connections to this peer are still signing in", {
      hint: "try again, or keep a login with qf login --ssh-jwt-cache-ttl SECONDS",
    });
  }
  await Bun.sleep(POLL_MS);
}
