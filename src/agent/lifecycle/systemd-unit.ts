/**
 * The agent as a systemd service, for the usual state folder.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { QfError } from "../../base/errors.ts";
import { writeFileAtomic } from "../../base/files.ts";
import type { LogLevel } from "../../base/log.ts";
import { ownCommand } from "../../base/own-command.ts";

export const UNIT_NAME = "qufabric.service";
const UNIT_PATH = `/etc/systemd/system/${UNIT_NAME}`;
const SYSTEMCTL_MS_MAX = 20_000;

/** Whether systemd runs this machine (sd_booted(3)). */
export function hasSystemd(): boolean {
  return existsSync("/run/systemd/system");
}

/**
 * The unit file for the program started by `command`. It is never `failed` for good: a port that is held or a
 * full disk may pass, so it is started again without end, with a growing delay where systemd is 254 or newer.
 */
export function unitText(command: readonly string[], logLevel?: LogLevel): string {
  const level = logLevel === undefined ? [] : ["--log-level", logLevel];
  const start = [...command, "agent", "up", "--foreground", ...level].map(quoted).join(" ");
  return `[Unit]
Description=QuFabric agent
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=${start}
WorkingDirectory=/
UnsetEnvironment=BUN_OPTIONS BUN_BE_BUN BUN_INSTALL NODE_OPTIONS NODE_EXTRA_CA_CERTS
Restart=always
RestartSec=1
RestartSteps=6
RestartMaxDelaySec=30
KillMode=mixed
TimeoutStopSec=15
LimitNOFILE=1048576

[Install]
WantedBy=multi-user.target
`;
}

/** Installs the unit and starts it, now and at every boot. Throws ERR_UNAVAILABLE. */
export async function startService(logLevel?: LogLevel): Promise<void> {
  await writeFileAtomic(UNIT_PATH, unitText(ownCommand(), logLevel), 0o644);
  await systemctl("daemon-reload");
  await systemctl("enable", UNIT_NAME);
  await systemctl("restart", UNIT_NAME);
}

/** Stops the service and keeps it from starting at boot. False when there is none. */
export async function stopService(): Promise<boolean> {
  if (!hasSystemd() || !existsSync(UNIT_PATH)) return false;
  await systemctl("disable", "--now", UNIT_NAME);
  return true;
}

/** Removes the unit, which must have been stopped. Nothing there is no failure. */
export async function removeService(): Promise<void> {
  if (!existsSync(UNIT_PATH)) return;
  await unlink(UNIT_PATH);
  if (hasSystemd()) await systemctl("daemon-reload");
}

async function systemctl(...args: string[]): Promise<void> {
  const child = Bun.spawn(["systemctl", ...args], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
    timeout: SYSTEMCTL_MS_MAX,
  });
  if ((await child.exited) === 0) return;
  throw new QfError("ERR_UNAVAILABLE", `systemctl ${args.join(" ")} failed`, {
    hint: `see journalctl -u ${UNIT_NAME}`,
  });
}

/** As systemd.syntax(7) wants it: quoted, with its own specifiers and variables escaped. */
function quoted(word: string): string {
  return `"${word.replace(/[\\"]/g, "\\$&").replaceAll("%", "%%").replaceAll("$", "$$$$")}"`;
}
