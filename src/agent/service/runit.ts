/**
 * The agent as a runit service.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { rm, symlink, unlink } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectory, writeFileAtomic } from "../../base/files.ts";
import { DEFAULT_STATE_DIR } from "../../base/state-dir.ts";
import type { ServiceManager } from "./manager-contract.ts";
import { runTool, shellWord, tryTool } from "./run-tool.ts";
import { launched } from "./systemd.ts";

const NAME = "qufabric";
const HINT = "see /var/lib/qufabric/agent.log";
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
      return true;
    },
    async remove() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}
