/**
 * The agent as a systemd service, of the system or of one user.
 *
 * The main process is a short shell launcher with the agent as its child, so that the process systemd stops
 * is not the one that serves sessions.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { makeDirectory, writeFileAtomic } from "../../base/files.ts";
import type { Environment } from "../contracts/flags.ts";
import type { ServiceManager } from "./manager-contract.ts";
import { readTool, runTool, tryTool } from "./run-tool.ts";

export const UNIT_NAME = "qufabric.service";
const UNIT_PATH = `/etc/systemd/system/${UNIT_NAME}`;

/** Only service managers run this shell, with a fixed script. */
const SHELL = "/bin/sh -c".split(" ");
/**
 * Starts the agent and ends with its exit status. A stop signal is passed on; the watchdog's signal kills an
 * agent that does not respond. With SIGUSR1 the agent ends the launcher, to go on by itself until its
 * successor serves.
 */
export const LAUNCHER = [
  "trap 'signal=1; kill -TERM $!' TERM INT HUP",
  "trap 'signal=1; kill -KILL $!' ABRT",
  "trap 'exit 0' USR1",
  "export QF_LAUNCHER=$$",
  // A signal interrupts `wait`, whose status then is not the agent's.
  '"$@" & while signal=; wait $!; status=$?; [ -n "$signal" ]; do :; done',
  "exit $status",
].join("; ");

/** The argv with which a service manager starts the launcher of `command`. */
export function launched(command: readonly string[]): string[] {
  return [...SHELL, LAUNCHER, "qf-agent", ...command];
}

/**
 * The unit file for an agent started by `command`. It never stays `failed`: a port in use or a full disk may
 * be temporary, so restarts go on forever, with a growing delay on systemd 254 or newer. The unit sets no
 * restrictions, because sessions would inherit them.
 */
export function unitText(command: readonly string[], wantedBy = "multi-user.target"): string {
  const start = launched(command).map(quoted).join(" ");
  return `[Unit]
Description=QuFabric agent
Documentation=man:qf(1)
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=all
ExecStart=${start}
WorkingDirectory=/
UnsetEnvironment=BUN_OPTIONS BUN_BE_BUN BUN_INSTALL NODE_OPTIONS NODE_EXTRA_CA_CERTS
Restart=always
RestartSec=1
RestartSteps=6
RestartMaxDelaySec=30
WatchdogSec=120
KillMode=process
TimeoutStopSec=20
OOMPolicy=continue
TasksMax=infinity
LimitNOFILE=1048576

[Install]
WantedBy=${wantedBy}
`;
}

/** Null: systemd does not run this machine (sd_booted(3)). */
export function systemdManager(): ServiceManager | null {
  return existsSync("/run/systemd/system") ? managerOf("systemd", [], UNIT_PATH, "multi-user.target") : null;
}

/** Null: no systemd runs for this user. */
export function systemdUserManager(environment: Environment): ServiceManager | null {
  const { XDG_RUNTIME_DIR: runtimeDir, XDG_CONFIG_HOME: configHome, HOME: home } = environment;
  if (!runtimeDir || !existsSync(join(runtimeDir, "systemd/private"))) return null;
  const folder = join(configHome || join(home || homedir(), ".config"), "systemd/user");
  const manager = managerOf("systemd --user", ["--user"], join(folder, UNIT_NAME), "default.target");
  const { username } = userInfo();
  if (existsSync(`/var/lib/systemd/linger/${username}`)) return manager;
  const note = `it ends with your last log-out, unless root runs: loginctl enable-linger ${username}`;
  return { ...manager, note };
}

function managerOf(name: string, flags: readonly string[], path: string, wantedBy: string): ServiceManager {
  const hint = `see journalctl ${[...flags, "-u", UNIT_NAME].join(" ")}`;
  const systemctl = (...args: string[]) => runTool(["systemctl", ...flags, ...args], hint);
  return {
    name,
    async start(command) {
      await makeDirectory(join(path, ".."), 0o755);
      await writeFileAtomic(path, unitText(command, wantedBy), 0o644);
      await systemctl("daemon-reload");
      await systemctl("enable", UNIT_NAME);
      // The caller checks whether it serves, because only the caller knows what may prevent it.
      await systemctl("restart", "--no-block", UNIT_NAME);
    },
    async stop() {
      if (!existsSync(path)) return false;
      await systemctl("disable", "--now", UNIT_NAME);
      return true;
    },
    async remove() {
      if (!existsSync(path)) return;
      await unlink(path);
      await systemctl("daemon-reload");
      await tryTool(["systemctl", ...flags, "reset-failed", UNIT_NAME]);
    },
  };
}

const ofUser = (): string[] => (process.geteuid?.() === 0 ? [] : ["--user"]);

/** Whether systemd is about to start the service again. False: unknown. */
export async function isUnitRestarted(): Promise<boolean> {
  const jobs = await readTool(["systemctl", ...ofUser(), "list-jobs", "--no-legend", "--plain"]);
  return jobs?.split("\n").some((line) => isRestart(line)) === true;
}

/** Whether a line of `systemctl list-jobs` (number, unit, kind, state) is such a job. */
export function isRestart(line: string): boolean {
  const [, unit, kind] = line.trim().split(/\s+/);
  return unit === UNIT_NAME && (kind === "restart" || kind === "try-restart" || kind === "start");
}

/** Whether the service runs or is to run again. True: also if unknown. */
export async function isUnitUp(): Promise<boolean> {
  const state = await readTool(["systemctl", ...ofUser(), "show", "-P", "ActiveState", UNIT_NAME]);
  return state === null || !["inactive", "failed"].includes(state.trim());
}

/** Quotes for systemd.syntax(7), with specifiers and variables escaped. */
function quoted(word: string): string {
  return `"${word.replace(/[\\"]/g, "\\$&").replaceAll("%", "%%").replaceAll("$", "$$$$")}"`;
}
