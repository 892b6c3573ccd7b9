/**
 * Limits on what anybody may take of the agent: connection starts, sign-in tries, sessions and connections,
 * before and after the person is known.
 *
 * @module
 */
import { sourceKey } from "../../base/source-key.ts";
import type { SshLimitFlags } from "../../wire/ssh-limits.ts";
import type { StreamOrigin } from "./stream-origin.ts";

export interface Limits {
  /** Longest from the first byte to a signed-in user. Default 30 s. */
  readonly graceMs: number;
  /** Refused keys before the connection ends. Default 6. */
  readonly authTriesMax: number;
  /** Connections not yet signed in, in total and from one source. Default 256 and 64. */
  readonly startsMax: number;
  readonly startsPerSourceMax: number;
  /** Connections that wait for a person to approve them, in total and from one source. Default 128 and 16. */
  readonly pendingMax: number;
  readonly pendingPerSourceMax: number;
  /** Open sessions of one connection. Default 10, as sshd's MaxSessions. */
  readonly sessionsMax: number;
  /** Refused channels and requests of one connection, each of which is evidence. Default 256. */
  readonly refusalsMax: number;
  /** Forwarded streams of one connection, and those of its listeners that its client has not taken yet. */
  readonly forwardStreamsMax: number;
  readonly forwardStartsMax: number;
  /** Ports and sockets that one connection listens at. Default 64. */
  readonly forwardListenersMax: number;
  /** Live connections of one user, and in total. Default 4,096 and 16,384. */
  readonly connectionsPerUserMax: number;
  readonly connectionsMax: number;
  /** Open channels of one connection, sessions and forwards together. Default 256. */
  readonly channelsMax: number;
  /** Longest packet of somebody who is signed in, in bytes. Default 256 kB, as sshd's. */
  readonly packetBytesMax: number;
  /**
   * How often a client that says nothing is asked, null: never; and how often in vain. Default 60 s and 10.
   */
  readonly aliveIntervalMs: number | null;
  readonly aliveCountMax: number;
  /** Longest silence of a connection, and longest connection. Null, the default: no end but the policy's. */
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
  // A closed laptop may sleep for ten minutes; what stays away longer shall not hold its place.
  aliveIntervalMs: 60_000,
  aliveCountMax: 10,
  idleMs: null,
  connectionMs: null,
} as const satisfies Limits;
/** Of the channels of a connection, so that forwards leave room for sessions. */
const FORWARDS_SHARE = 7 / 8;

/** The flags of `qf agent up` over the defaults. */
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

/** 0 is none. */
function milliseconds(seconds: number | null | undefined): number | null {
  return seconds === undefined || seconds === null || seconds === 0 ? null : seconds * 1000;
}

/**
 * Who a stream counts as: the hello's device where there was one, with the account whose program it carries;
 * else the address (/64 of IPv6).
 */
export function sourceOf({ sourcePeerId, sourceAddress, via }: StreamOrigin): string {
  if (via !== undefined) return `${via.peerId}/${via.localUser ?? ""}`;
  return sourcePeerId ?? sourceKey(sourceAddress);
}

/** Counts things by key, with a bound for each and for all. */
export class Counter {
  readonly #counts = new Map<string, number>();
  readonly #bounds: () => { readonly perKeyMax: number; readonly totalMax: number };
  #total = 0;

  /** `bounds` is asked each time: what is taken stays taken when they shrink. */
  constructor(bounds: () => { readonly perKeyMax: number; readonly totalMax: number }) {
    this.#bounds = bounds;
  }

  /** Takes one place; null when there is none. The returned function gives it back, once. */
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
