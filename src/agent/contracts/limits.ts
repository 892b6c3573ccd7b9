/**
 * Limits on a client's use of the agent, before and after sign-in: connection starts, tries, sessions and
 * connections.
 *
 * @module
 */
import { sourceKey } from "../../base/source-key.ts";
import type { SshLimitFlags } from "../../wire/ssh-limits.ts";
import type { StreamOrigin } from "./stream-origin.ts";

export interface Limits {
  /** Longest time from the first byte to a completed sign-in. Default 30 s. */
  readonly graceMs: number;
  /** Refused keys after which the connection ends. Default 6. */
  readonly authTriesMax: number;
  /** Connections not yet signed in: total, and from one source. Default 256 and 64. */
  readonly startsMax: number;
  readonly startsPerSourceMax: number;
  /** Connections waiting for a person's approval: total, and from one source. Default 128 and 16. */
  readonly pendingMax: number;
  readonly pendingPerSourceMax: number;
  /** Open sessions of one connection. Default 10, like sshd's MaxSessions. */
  readonly sessionsMax: number;
  /** Refused channels and requests of one connection. Each is recorded. Default 256. */
  readonly refusalsMax: number;
  /**
   * Forwarded streams of one connection, and those from its listeners that its client has not accepted yet.
   */
  readonly forwardStreamsMax: number;
  readonly forwardStartsMax: number;
  /** Ports and sockets on which one connection listens. Default 64. */
  readonly forwardListenersMax: number;
  /** Live connections of one user, and in total. Default 4,096 and 16,384. */
  readonly connectionsPerUserMax: number;
  readonly connectionsMax: number;
  /** Open channels of one connection, sessions and forwards together. Default 256. */
  readonly channelsMax: number;
  /** Longest packet after sign-in, in bytes. Default 256 kB, like sshd. */
  readonly packetBytesMax: number;
  /**
   * How often a silent client is probed (null: never), and how many probes may stay unanswered. Default 60 s
   * and 10.
   */
  readonly aliveIntervalMs: number | null;
  readonly aliveCountMax: number;
  /** Longest idle time and duration of a connection. Null, the default: only the policy's limits apply. */
  readonly idleMs: number | null;
  readonly connectionMs: number | null;
}

export const DEFAULT_LIMITS = {
  graceMs: 30_000,
  authTriesMax: 6,
  startsMax: 256,
  startsPerSourceMax: 64,
  pendingMax: 128,
  pendingPerSourceMax: 16,
  sessionsMax: 10,
  refusalsMax: 256,
  forwardStreamsMax: 224,
  forwardStartsMax: 64,
  forwardListenersMax: 64,
  connectionsPerUserMax: 4_096,
  connectionsMax: 16_384,
  channelsMax: 256,
  packetBytesMax: 256 * 1024,
  // A closed laptop may sleep for ten minutes. A client away for longer does not keep its place.
  aliveIntervalMs: 60_000,
  aliveCountMax: 10,
  idleMs: null,
  connectionMs: null,
} as const satisfies Limits;
/** Share of a connection's channels for forwards, so that they leave room for sessions. */
const FORWARDS_SHARE = 7 / 8;

/** The flags of `qf agent up`, with defaults for the rest. */
export function limitsOf(flags: SshLimitFlags): Limits {
  const d = DEFAULT_LIMITS;
  const channelsMax = flags.sshMaxChannels ?? d.channelsMax;
  return {
    ...d,
    graceMs: milliseconds(flags.sshLoginGraceTimeSeconds) ?? d.graceMs,
    authTriesMax: flags.sshMaxAuthTries ?? d.authTriesMax,
    startsMax: flags.sshMaxStartups ?? d.startsMax,
    startsPerSourceMax: flags.sshPerSourceMaxStartups ?? d.startsPerSourceMax,
    sessionsMax: flags.sshMaxSessions ?? d.sessionsMax,
    connectionsPerUserMax: flags.sshMaxConnectionsPerUser ?? d.connectionsPerUserMax,
    channelsMax,
    forwardStreamsMax: Math.ceil(channelsMax * FORWARDS_SHARE),
    packetBytesMax: flags.sshMaxPacketSize ?? d.packetBytesMax,
    aliveIntervalMs: milliseconds(flags.sshClientAliveIntervalSeconds ?? d.aliveIntervalMs / 1000),
    aliveCountMax: flags.sshClientAliveCountMax ?? d.aliveCountMax,
    idleMs: milliseconds(flags.sshIdleTimeoutSeconds),
    connectionMs: milliseconds(flags.sshMaxSessionTimeSeconds),
  };
}

/** 0 means no limit. */
function milliseconds(seconds: number | null | undefined): number | null {
  return seconds === undefined || seconds === null || seconds === 0 ? null : seconds * 1000;
}

/**
 * The key under which a stream is counted: the hello's device, with the account whose program it carries.
 * Without a hello the address (/64 of IPv6).
 */
export function sourceOf({ sourcePeerId, sourceAddress, via }: StreamOrigin): string {
  if (via !== undefined) return `${via.peerId}/${via.localUser ?? ""}`;
  return sourcePeerId ?? sourceKey(sourceAddress);
}

/** Counts items by key, with a limit for each key and for the total. */
export class Counter {
  readonly #counts = new Map<string, number>();
  readonly #bounds: () => { readonly perKeyMax: number; readonly totalMax: number };
  #total = 0;

  /** `bounds` is called each time. Places already taken stay taken when they shrink. */
  constructor(bounds: () => { readonly perKeyMax: number; readonly totalMax: number }) {
    this.#bounds = bounds;
  }

  /** Takes a place. Null: none is left. The returned function releases it, once. */
  take(key: string): (() => void) | null {
    const count = this.#counts.get(key) ?? 0;
    const { perKeyMax, totalMax } = this.#bounds();
    if (count >= perKeyMax || this.#total >= totalMax) return null;
    this.#counts.set(key, count + 1);
    this.#total++;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#total--;
      const left = (this.#counts.get(key) ?? 1) - 1;
      if (left === 0) this.#counts.delete(key);
      else this.#counts.set(key, left);
    };
  }
}
