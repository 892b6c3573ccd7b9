/**
 * Decides when to rekey, and limits how often the other end may.
 *
 * @module
 */
import { SshFailure } from "./failure.ts";

export interface RekeyLimits {
  /** Bytes under one pair of keys. Default 1 GB, below the AES-GCM limit of ssh(1). */
  readonly bytes: number;
  /** Milliseconds under one pair of keys. Default one hour. */
  readonly ms: number;
  /** Exchanges that the other end may begin in a minute. Default 20. */
  readonly theirsPerMinute: number;
}

const DEFAULTS: RekeyLimits = { bytes: 2 ** 30, ms: 3_600_000, theirsPerMinute: 20 };
const MINUTE_MS = 60_000;

export class RekeyTurns {
  readonly #limits: RekeyLimits;
  readonly #nowMs: () => number;
  #bytes = 0;
  #sinceMs: number;
  #theirs: number[] = [];

  constructor(limits: Partial<RekeyLimits> = {}, nowMs: () => number = () => performance.now()) {
    this.#limits = { ...DEFAULTS, ...limits };
    this.#nowMs = nowMs;
    this.#sinceMs = nowMs();
  }

  get isDue(): boolean {
    return this.#bytes >= this.#limits.bytes || this.#nowMs() - this.#sinceMs >= this.#limits.ms;
  }

  /** Counts bytes, both directions together. */
  count(bytes: number): void {
    this.#bytes += bytes;
  }

  finished(): void {
    this.#bytes = 0;
    this.#sinceMs = this.#nowMs();
  }

  /** Records an exchange that the other end begins. Throws when there are too many. */
  begunByThem(): void {
    const now = this.#nowMs();
    this.#theirs = [...this.#theirs.filter((at) => now - at < MINUTE_MS), now];
    if (this.#theirs.length > this.#limits.theirsPerMinute) {
      throw new SshFailure("protocol", "the machine exchanges keys without end");
    }
  }
}
