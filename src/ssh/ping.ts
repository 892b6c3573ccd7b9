/**
 * `qf ping PEER`: the path to a peer and why it was chosen, round-trip times, and the state of the peer's
 * agent. It uses only the device key and needs no sign-in.
 *
 * @module
 */
import { join } from "node:path";
import { nowSeconds, systemClock } from "../base/clock.ts";
import { isQfError, QfError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import {
  type ClientSession,
  type ClientSessionOptions,
  openClientSession,
} from "../client/client-session.ts";
import { openKnownTargets } from "../client/known-targets.ts";
import { type FoundTarget, findTarget, registeredDevice } from "../client/target.ts";
import { openPathMemory, PATHS_FILE } from "../fabric/path-memory.ts";
import { type PingSample, pingOver } from "../fabric/ping.ts";
import { dialPeer } from "../fabric/race.ts";
import { PING_PORT } from "../wire/hello.ts";
import type { PingReport } from "../wire/ping.ts";

/** Pause between an answer and the next ping. */
const INTERVAL_MS = 200;
const ANSWER_TIMEOUT_MS = 5_000;

export interface PingOptions extends ClientSessionOptions {
  /** As typed. */
  readonly peer: string;
  readonly count: number;
  /** Longest wait for a path. */
  readonly timeoutMs: number;
  /** Receives each attempt and answer, in words. */
  trace(line: string): void;
  /** Receives caveats about the result. */
  warn(line: string): void;
  onAnswer(line: string): void;
}

/** Throws when there is nothing to ping: no management, no registered device, or no such peer for it. */
export async function ping(options: PingOptions): Promise<PingReport> {
  const session = await openClientSession({ ...options, interactive: false });
  const found = await findTarget(session, options.peer).catch((error: unknown) =>
    fromBefore(session, options, error),
  );
  const { target } = found;
  options.trace(`${target.name} is ${target.address}, at ${target.direct.join(" ") || "no known address"}`);
  const peer = { peerId: target.peerId, name: target.name, address: target.address };
  const silent = { peer, path: null, endpoint: null, connectMs: null, sent: 0, received: 0 } as const;
  const unheard = { roundTripMs: null, clockOffsetMs: null } as const;
  try {
    if (!target.sshServer) throw sshOff(target.name);
    return { peer, ...(await measure(found, session, options)) };
  } catch (error) {
    if (!isQfError(error)) throw error;
    const { code, message, hint } = error;
    return {
      ...silent,
      ...unheard,
      why: message,
      agent: { connected: target.connected, version: null, mapAgeSeconds: null },
      ssh: target.sshServer ? "unknown" : "off",
      error: { code, message, ...(hint === undefined ? {} : { hint }) },
    };
  }
}

/** Without management: the target of an earlier certificate, if this device had one for that peer. */
async function fromBefore(
  session: ClientSession,
  { peer, warn }: PingOptions,
  error: unknown,
): Promise<FoundTarget> {
  if (!isQfError(error, "ERR_UNAVAILABLE")) throw error;
  const device = await registeredDevice(session);
  const known = openKnownTargets(session.folder.path);
  const found = await known.find(session.api.origin, peer.toLowerCase(), nowSeconds(session.clock));
  if (found === undefined) throw error;
  warn(`${error.message}; going by what is known of ${found.target.name} from before`);
  return { ...device, target: { ...found.target, connected: false } };
}

async function measure(
  { target, scope, devicePeerId }: FoundTarget,
  { deviceKey, folder }: ClientSession,
  options: PingOptions,
): Promise<Omit<PingReport, "peer">> {
  const way = await dialPeer({
    deviceKey,
    scope,
    source: devicePeerId,
    target: target.peerId,
    port: PING_PORT,
    addresses: target.direct,
    relayPort: target.relayPort,
    nowSeconds: () => nowSeconds(systemClock),
    memory: openPathMemory(join(folder.path, PATHS_FILE)),
    timeoutMs: options.timeoutMs,
    trace: options.trace,
  });
  const path = way.path === "direct" ? `directly at ${way.address}` : "through the relay";
  const samples = await pingOver(way.stream, {
    count: options.count,
    intervalMs: INTERVAL_MS,
    timeoutMs: ANSWER_TIMEOUT_MS,
    nowMs: () => systemClock.nowMs(),
    onSample: ({ roundTripMs }) =>
      options.onAnswer(`answer of ${target.name} ${path}: ${milliseconds(roundTripMs)} ms`),
  });
  const best = samples.toSorted((a, b) => a.roundTripMs - b.roundTripMs)[0];
  if (best === undefined) {
    throw new QfError("ERR_PEER_UNREACHABLE", "the peer took the connection and gave no answer", {
      hint: "look at qf agent status -d there; an older agent knows no qf ping",
    });
  }
  const { answer } = samples.at(-1) ?? best;
  return {
    path: way.path,
    endpoint: way.path === "direct" ? way.address : null,
    why: way.why,
    connectMs: milliseconds(way.tookMs),
    sent: options.count,
    received: samples.length,
    roundTripMs: summary(samples),
    clockOffsetMs: best.clockOffsetMs,
    agent: { connected: answer.connected, version: answer.version, mapAgeSeconds: answer.mapAgeSeconds },
    ssh: answer.ssh,
    error: null,
  };
}

function summary(samples: readonly PingSample[]): NonNullable<PingReport["roundTripMs"]> {
  const sorted = samples.map(({ roundTripMs }) => roundTripMs).sort((a, b) => a - b);
  const at = (index: number) => milliseconds(sorted[index] ?? 0);
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
  return { min: at(0), median: milliseconds(median), max: at(sorted.length - 1) };
}

/** Two decimal places, since a local path takes less than 1 ms. */
function milliseconds(value: number): number {
  return Math.round(value * 100) / 100;
}

function sshOff(name: string): QfError {
  return new QfError("ERR_PEER_UNREACHABLE", "SSH server not detected", {
    hint: `run qf agent up --allow-server-ssh on ${name}`,
  });
}

/** The report for people, after the answers. */
export function pingText(report: PingReport): string {
  const { peer, path, endpoint, why, roundTripMs, clockOffsetMs, agent, ssh } = report;
  const lines = [`${peer.name} (${peer.address})`];
  if (path !== null && roundTripMs !== null) {
    const way = path === "direct" ? `direct, ${endpoint}` : "through the relay";
    const { min, median, max } = roundTripMs;
    lines.push(`path        ${way} after ${report.connectMs} ms: ${why}`);
    lines.push(`answers     ${report.received} of ${report.sent}`);
    lines.push(`round trip  min ${min} ms, median ${median} ms, max ${max} ms`);
    lines.push(`clock       ${clockText(clockOffsetMs)}`);
  } else lines.push(`path        none: ${why}`);
  lines.push(`agent       ${agentText(agent)}`);
  lines.push(`ssh         ${SSH_TEXTS[ssh]}`);
  return lines.map((line) => `${printable(line)}\n`).join("");
}

const SSH_TEXTS: Readonly<Record<PingReport["ssh"], string>> = {
  on: "on",
  off: "off: the agent runs without --allow-server-ssh",
  map_stale: "on, but nobody gets in: the peer has not heard from management for too long",
  unknown: "not known",
};

function clockText(offsetMs: number | null): string {
  if (offsetMs === null) return "not known";
  if (offsetMs === 0) return "the same";
  return `this one is ${Math.abs(offsetMs)} ms ${offsetMs > 0 ? "ahead" : "behind"}`;
}

function agentText({ connected, version, mapAgeSeconds }: PingReport["agent"]): string {
  const link = connected ? "connected to management" : "not connected to management";
  const map = mapAgeSeconds === null ? "" : `, map confirmed ${mapAgeSeconds} s ago`;
  return `${link}${version === null ? "" : `, version ${printable(version)}`}${map}`;
}
