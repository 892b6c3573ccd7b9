/**
 * The helper that ends a turn (`key-files.ts`): waits until ssh has read the key to sign with it, or can no
 * longer do so, and removes the file. Only `qf proxy connect` starts it.
 *
 * ssh asks for host keys and then signs, so a read of the file after that request is the last one. No other
 * ssh uses the file during the turn.
 *
 * @module
 */
import { readSync } from "node:fs";
import type { Clock } from "../../base/clock.ts";
import { ownCommand } from "../../base/own-command.ts";
import { parseDialledName } from "../../client/peer-name.ts";
import { dropKey, forgetReader, keyFileNames, startTimeOf } from "./key-readers.ts";
import { readNames } from "./read-watch.ts";

/** Descriptors given by `startKeyCleanup`. The lock is released when the process ends. */
const WATCH_FD = 4;
const POLL_MS = 4;
/** An ssh that has not signed by now never will: the peer waits no longer than that. */
const TURN_MS_MAX = 45_000;
const EVENT_BYTES = 16_384;
/** The caller was not ssh(1), so its exit means nothing. */
export const UNKNOWN_PID = "0";

/** Starts the helper, detached, with only the two descriptors. */
export function startKeyCleanup(options: {
  readonly folder: string;
  readonly host: string;
  /** The ssh that reads, or `UNKNOWN_PID`. */
  readonly sshPid: string;
  readonly lockFd: number;
  readonly watchFd: number;
}): void {
  const { folder, host, sshPid, lockFd, watchFd } = options;
  const child = Bun.spawn([...ownCommand(), "proxy", "tidy", folder, host, sshPid], {
    cwd: "/",
    env: {},
    stdio: ["ignore", "ignore", "ignore", lockFd, watchFd],
    detached: true,
  });
  child.unref();
}

/** `qf proxy tidy FOLDER HOST PID`. */
export async function runTidy(args: readonly string[], clock: Clock): Promise<number> {
  const [folder, host, pid] = args;
  if (folder === undefined || host === undefined || pid === undefined) return 2;
  if (parseDialledName(host) !== host) return 2;
  const names = keyFileNames(host);
  const started = startTimeOf(pid);
  const untilMs = clock.monotonicMs() + TURN_MS_MAX;
  let hasAsked = false;
  for (let isDone = false; !isDone; ) {
    const events = readEvents();
    if (events.length === 0) {
      await Bun.sleep(POLL_MS);
      isDone = clock.monotonicMs() > untilMs || (pid !== UNKNOWN_PID && startTimeOf(pid) !== started);
      continue;
    }
    // After lost events only ssh's exit or the time limit is certain.
    for (const name of readNames(events) ?? []) {
      if (name === `${names.asked}${pid}`) hasAsked = true;
      else if (name === names.key && hasAsked) isDone = true;
    }
  }
  forgetReader(folder, host, pid);
  dropKey(folder, host);
  return 0;
}

function readEvents(): Buffer {
  const buffer = Buffer.alloc(EVENT_BYTES);
  try {
    return buffer.subarray(0, readSync(WATCH_FD, buffer));
  } catch {
    return buffer.subarray(0, 0);
  }
}
