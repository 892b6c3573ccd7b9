/**
 * The agent as a runit service.
 *
 * @module
 */
import { closeSync, constants, existsSync, openSync } from "node:fs";
import { rm, symlink, unlink } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectory, writeFileAtomic } from "../../base/files.ts";
import { DEFAULT_STATE_DIR } from "../../base/state-dir.ts";
import type { ServiceManager } from "./manager-contract.ts";
import { runTool, shellWord, tryTool } from "./run-tool.ts";
import { launched } from "./systemd.ts";

const NAME = "qufabric";
const HINT = "see /var/lib/qufabric/agent.log";
/** Longest wait for a runsv that is ending. */
const ENDING_MS_MAX = 5_000;
const POLL_MS = 20;
/** Folders that runsvdir watches, on Void and Debian. */
const ACTIVE = ["var/service", "etc/service"] as const;

/** The run script that starts the agent with `command`. */
export function runScript(command: readonly string[]): string {
  return `#!/bin/sh
# Written by qf agent up.
cd /
umask 022
exec ${launched(command).map(shellWord).join(" ")} >>${DEFAULT_STATE_DIR}/agent.log 2>&1
`;
}

/** Null: runit does not run services here. `root` is for tests. */
export function runitManager(root = "/"): ServiceManager | null {
  const active = ACTIVE.map((folder) => join(root, folder)).find((folder) => existsSync(folder));
  if (active === undefined || !existsSync(join(root, "etc/runit"))) return null;
  const folder = join(root, "etc/sv", NAME);
  const link = join(active, NAME);
  return {
    name: "runit",
    async start(command) {
      await makeDirectory(folder, 0o755);
      await writeFileAtomic(join(folder, "run"), runScript(command), 0o755);
      // runsvdir finds a new service by itself within seconds.
      if (existsSync(link)) await runTool(["sv", "-w", "20", "restart", link], HINT);
      else await symlink(folder, link);
    },
    async stop() {
      if (!existsSync(link)) return false;
      await runTool(["sv", "-w", "20", "force-stop", link], HINT);
      await unlink(link);
      await tryTool(["sv", "exit", folder]);
      await untilUnsupervised(folder);
      return true;
    },
    async remove() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Waits until no runsv supervises `folder`, or for five seconds. `sv exit` does not wait, and a runsv that is
 * ending still writes its state into the folder, so one that is removed meanwhile would be there again.
 */
async function untilUnsupervised(folder: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < ENDING_MS_MAX && isSupervised(folder); waitedMs += POLL_MS) {
    await Bun.sleep(POLL_MS);
  }
}

/** A runsv reads the pipe `supervise/ok` as long as it is there, which is how sv(8) finds out too. */
function isSupervised(folder: string): boolean {
  try {
    closeSync(openSync(join(folder, "supervise/ok"), constants.O_WRONLY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
}
