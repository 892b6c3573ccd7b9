/**
 * `qf agent status`: asks the running agent and formats the answer.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { DEFAULT_STATE_DIR } from "../../base/state-dir.ts";
import type { AgentStatus } from "../../wire/control.ts";
import type { Environment } from "../contracts/flags.ts";
import { askStatus } from "../control-socket/control-client.ts";
import { chooseStateDir } from "../state/state-dir.ts";

/** Status of the selected agent. Throws ERR_UNAVAILABLE if none runs. */
export async function agentStatus(options: {
  readonly stateDir: string | undefined;
  readonly environment: Environment;
}): Promise<AgentStatus> {
  const stateDir = chooseStateDir(options.stateDir, options.environment);
  const status = await askStatus(stateDir);
  if (status !== undefined) return status;
  // Any user may query the machine's agent, so without an agent of their own that one is meant.
  const isUsual = options.stateDir === undefined && stateDir !== DEFAULT_STATE_DIR;
  const machine = isUsual ? await askStatus(DEFAULT_STATE_DIR) : undefined;
  if (machine !== undefined) return machine;
  throw new QfError("ERR_UNAVAILABLE", `no agent runs on ${stateDir}`, { hint: "start it with qf agent up" });
}

/** The answer as text. `isDetailed` adds peers, flags and the link. */
export function statusText(status: AgentStatus, isDetailed: boolean): string {
  const { self, management, sshServer } = status;
  const lines = [
    row("Agent", `${status.state}, pid ${status.pid}, version ${status.version}`),
    row("Peer", self === null ? "not enrolled" : `${self.fullName} (${self.address})`),
    row("Management", `${management.connected ? "connected" : "not connected"} to ${management.url}`),
    row("Map", mapText(management)),
    row("SSH server", sshText(sshServer)),
    row("Sessions", String(sshServer.sessions.length)),
  ];
  for (const { user, localUser, peer, command, forwards, path } of sshServer.sessions) {
    const forwarding = forwards.length === 0 ? "" : ` [${forwards.join(", ")}]`;
    const by = isDetailed && path !== undefined ? ` (${path})` : "";
    const what = command === "" ? "shell" : command;
    const device = peer === "" ? "no registered device" : peer;
    lines.push(`  ${user} as ${localUser} from ${device}${by}: ${what}${forwarding}`);
  }
  if (isDetailed) lines.push(...details(status));
  status.problems.forEach((problem, i) => {
    lines.push(row("Problem", problem));
    const fix = status.fixes?.[i];
    if (fix !== undefined) lines.push(row("  Fix", fix));
  });
  return lines.map((line) => `${line.startsWith("  ") ? "  " : ""}${printable(line)}\n`).join("");
}

function details(status: AgentStatus): string[] {
  const { management, sshServer, relay, refused, spool, peers, flags } = status;
  const offset = management.clockOffsetMs;
  const link = management.latencyMs ?? null;
  const lines = [
    row("Link", link === null ? "not measured yet" : `${link} ms to management and back`),
    row("Clock", offset === null ? "not measured yet" : clockText(offset)),
    row("Direct", directText(sshServer)),
    row("Relay", relayText(relay)),
    ...(refused === undefined ? [] : [row("Refused", refusedText(refused))]),
    ...(spool === undefined ? [] : [row("Spool", `${spool.events} events not sent, ${spool.bytes} bytes`)]),
    row("Peers", String(peers.length)),
  ];
  for (const { name, address, path, latencyMs } of peers) {
    const way = path === "relay" ? `relay (${whyRelay(sshServer)})` : path;
    lines.push(`  ${name} ${address} ${way}${latencyMs === null ? "" : `, ${latencyMs} ms`}`);
  }
  lines.push(row("Flags", ""));
  for (const [name, value] of Object.entries(flags)) lines.push(`  ${name} ${JSON.stringify(value)}`);
  return lines;
}

function mapText({ mapVersion, mapAgeSeconds, error }: AgentStatus["management"]): string {
  if (mapVersion === 0) return `none yet${error === null ? "" : `: ${error}`}`;
  return `version ${mapVersion}, confirmed ${mapAgeSeconds ?? "?"} s ago`;
}

function sshText({ enabled, listen, plainListen = [] }: AgentStatus["sshServer"]): string {
  if (!enabled) return "off";
  const plain = plainListen.length === 0 ? "" : `; any SSH client on ${plainListen.join(", ")}`;
  return `on, ${listen.length === 0 ? "through the relay only" : listen.join(", ")}${plain}`;
}

function clockText(offsetMs: number): string {
  if (offsetMs === 0) return "the same as management's";
  return `${Math.abs(offsetMs)} ms ${offsetMs > 0 ? "ahead of" : "behind"} management's`;
}

function directText({ enabled, listen, advertised }: AgentStatus["sshServer"]): string {
  if (listen.length === 0) return enabled ? "no listener (--listen none)" : "off with the SSH server";
  if (advertised === undefined) return listen.join(", ");
  return `${listen.join(", ")}; told to others: ${advertised.join(", ") || "nothing"}`;
}

/** Why clients came through the relay: they had already tried everything else. */
function whyRelay({ listen }: AgentStatus["sshServer"]): string {
  return listen.length === 0 ? "there is no listener here" : "no direct address answered it in time";
}

function relayText(relay: AgentStatus["relay"]): string {
  if (relay?.connected !== true) return "not connected";
  return `connected, ${relay.streams} ${relay.streams === 1 ? "stream" : "streams"}`;
}

function refusedText(refused: NonNullable<AgentStatus["refused"]>): string {
  const { direct, relay, seconds, lastAddress } = refused;
  const sum = `${direct} directly, ${relay} through the relay within ${seconds / 60} minutes`;
  return lastAddress === null ? sum : `${sum}; the last from ${lastAddress}`;
}

function row(name: string, value: string): string {
  return `${`${name}:`.padEnd(13)}${value}`.trimEnd();
}
