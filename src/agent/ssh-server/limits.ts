/**
 * How much of the agent anybody may take: starts, tries, sessions and connections, before and after
 * it is known who they are.
 *
 * @module
 */
import type { StreamOrigin } from "../world.ts";

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
}

export const DEFAULT_LIMITS: Limits = {
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
};

/** Who a stream counts as: the hello's device where there was one, else the address (/64 of IPv6). */
export function sourceOf(origin: StreamOrigin): string {
  if (origin.sourcePeerId !== null) return origin.sourcePeerId;
  const address = origin.sourceAddress.replace(/^::ffff:/, "");
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::", 2);
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const gap = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const words = [...left, ...Array<string>(gap).fill("0"), ...right];
  return `${words.slice(0, 4).join(":")}::/64`;
}

/** Counts things by key, with a bound for each and for all. */
export class Counter {
  readonly #counts = new Map<string, number>();
  readonly #perKeyMax: number;
  readonly #totalMax: number;
  #total = 0;

  constructor(bounds: { readonly perKeyMax: number; readonly totalMax: number }) {
    this.#perKeyMax = bounds.perKeyMax;
    this.#totalMax = bounds.totalMax;
  }

  /** Takes one place; null when there is none. The returned function gives it back, once. */
  take(key: string): (() => void) | null {
    const count = this.#counts.get(key) ?? 0;
    if (count >= this.#perKeyMax || this.#total >= this.#totalMax) return null;
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
