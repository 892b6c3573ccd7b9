/**
 * The agent as an OpenRC service under supervise-daemon.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../base/files.ts";
import { DEFAULT_STATE_DIR } from "../../base/state-dir.ts";
import type { ServiceManager } from "./manager-contract.ts";
import { runTool, shellWord, tryTool } from "./run-tool.ts";
import { launched } from "./systemd.ts";

const NAME = "qufabric";
const HINT = "see /var/lib/qufabric/agent.log";

/** The init script that starts the agent with `command`. */
export function initScript(command: readonly string[]): string {
  const [program = "", ...args] = launched(command);
  return `#!/sbin/openrc-run
# Written by qf agent up.
name="QuFabric agent"
supervisor=supervise-daemon
command=${shellWord(program)}
command_args=${shellWord(args.map(shellWord).join(" "))}
directory=/
respawn_delay=1
respawn_max=0
output_log=${DEFAULT_STATE_DIR}/agent.log
error_log=${DEFAULT_STATE_DIR}/agent.log

depend() {
  use dns logger net
  after firewall
}
`;
}

/** Null: OpenRC does not run this machine. `root` is for tests. */
export function openrcManager(root = "/"): ServiceManager | null {
  if (!existsSync(join(root, "run/openrc/softlevel"))) return null;
  const path = join(root, "etc/init.d", NAME);
  return {
    name: "OpenRC",
    async start(command) {
      await writeFileAtomic(path, initScript(command), 0o755);
      await runTool(["rc-update", "--quiet", "add", NAME, "default"], HINT);
      await runTool(["rc-service", "--quiet", NAME, "restart"], HINT);
    },
    async stop() {
      if (!existsSync(path)) return false;
      await runTool(["rc-service", "--quiet", "--ifstarted", NAME, "stop"], HINT);
      await tryTool(["rc-update", "--quiet", "delete", NAME, "default"]);
      return true;
    },
    async remove() {
      await unlink(path).catch(() => {});
    },
  };
}
