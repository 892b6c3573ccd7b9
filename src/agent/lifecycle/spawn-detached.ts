/**
 * Starts the agent as a separate process in `/`, with an environment built from scratch.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { open, rename } from "node:fs/promises";
import { QfError } from "../../base/errors.ts";
import { ownCommand } from "../../base/own-command.ts";
import type { Environment } from "../contracts/flags.ts";
import { statePaths } from "../state/state.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Further variables for the agent. None of them affects a runtime (BUN_*, NODE_*, LD_*). */
const INHERITED = ["HOME", "LANG", "TZ", "XDG_RUNTIME_DIR", "QF_DEBUG", "QF_LOG_LEVEL"] as const;
/** At a start, a log larger than this is set aside and a new one begun. */
const LOG_BYTES_MAX = 16 * 1024 * 1024;

export interface Spawned {
  readonly pid: number;
  hasEnded(): boolean;
  /** Why it ended, from its last output. */
  failure(): Promise<QfError>;
  kill(): void;
}

/** Starts `qf agent up --foreground` for `stateDir`, with output to `agent.log` in that folder. */
export async function spawnDetached(stateDir: string, environment: Environment): Promise<Spawned> {
  const path = statePaths(stateDir).log;
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
  let log = await open(path, flags, 0o600);
  if ((await log.stat()).size > LOG_BYTES_MAX) {
    await log.close();
    await rename(path, `${path}.1`);
    log = await open(path, flags, 0o600);
  }
  const { size: startBytes } = await log.stat();
  const [file, ...before] = ownCommand();
  const child = spawn(file, [...before, "agent", "up", "--foreground", "--state-dir", stateDir], {
    cwd: "/",
    env: childEnvironment(environment),
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
  });
  let ended = false;
  child.on("exit", () => {
    ended = true;
  });
  child.on("error", () => {
    ended = true;
  });
  child.unref();
  await log.close();
  return {
    pid: child.pid ?? 0,
    hasEnded: () => ended,
    failure: () => readFailure(path, startBytes),
    kill: () => void child.kill("SIGTERM"),
  };
}

export function childEnvironment(environment: Environment): Record<string, string> {
  const inherited = INHERITED.map((name) => [name, environment[name]]).filter(
    ([, value]) => value !== undefined,
  );
  return { PATH, ...Object.fromEntries(inherited) };
}

async function readFailure(path: string, startBytes: number): Promise<QfError> {
  const text = (
    await Bun.file(path)
      .slice(startBytes)
      .text()
      .catch(() => "")
  ).slice(-65_536);
  const lineOf = (kind: string) => [...text.matchAll(new RegExp(`^qf: ${kind}: (.*)$`, "gm"))].at(-1)?.[1];
  const message = lineOf("error") ?? "the agent ended without a word";
  return new QfError("ERR_UNAVAILABLE", message, { hint: lineOf("hint") ?? `see ${path}` });
}
