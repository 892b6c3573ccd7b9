/**
 * Key re-exchange by bytes and age (RFC 4253 section 9), and the processor time of the peer's exchanges.
 *
 * @module
 */
import { BULK_BYTES } from "./bulk-cipher.ts";
import type { KexBudget } from "./kex-budget.ts";
import type { KexInitOffer, PatchedConnection, PatchedProtocol } from "./patched-ssh2.ts";
import type { WireLimits } from "./wire-limits.ts";

/** More than one exchange takes on a slow machine. */
const EXCHANGE_MS_MAX = 20;

export interface Rekeyer {
  /**
   * Sets the offer for every exchange but the first, and schedules the second once much data has moved. Null:
   * no different offer.
   */
  offerLater(offer: KexInitOffer | null): void;
  /** Call when bytes arrive on an open connection. */
  received(bytes: number): void;
  /** Call when the peer begins a key exchange. */
  begins(): void;
  /** Call when the peer's half of the exchange has arrived and computation starts. */
  computes(): void;
  /** Call when a key exchange is done. Returns how long to pause reading from the peer. */
  finished(): number;
  stop(): void;
}

/** Watches one connection. `onStall` is called when a key exchange does not end. */
export function createRekeyer(
  connection: PatchedConnection,
  limits: WireLimits,
  isOpen: () => boolean,
  onStall: () => void,
  budget: KexBudget,
): Rekeyer {
  const protocol = connection._protocol;
  let bytes = 0;
  let bytesMax = limits.rekeyBytes;
  let later: KexInitOffer | null = null;
  let stall: ReturnType<typeof setTimeout> | undefined;
  let age: ReturnType<typeof setTimeout> | undefined;
  let computingSinceMs: number | undefined;
  listenToWrites(protocol, (count) => {
    bytes += count;
  });
  const watch = (): void => {
    stall ??= setTimeout(onStall, limits.rekeyStallMs);
  };
  const rekey = (): void => {
    // Clients cannot handle a rekey before sign-in, and the grace time bounds that phase.
    if (!isOpen() || protocol._kexinit !== undefined) return;
    watch();
    protocol.rekey();
  };
  return {
    offerLater(offer) {
      later = offer;
    },
    received(count) {
      bytes += count;
      if (bytes >= bytesMax) rekey();
    },
    begins: watch,
    computes() {
      computingSinceMs = performance.now();
    },
    finished() {
      bytes = 0;
      bytesMax = later === null ? limits.rekeyBytes : Math.min(limits.rekeyBytes, BULK_BYTES);
      protocol._offer = later ?? protocol._offer;
      later = null;
      clearTimeout(stall);
      clearTimeout(age);
      stall = undefined;
      age = setTimeout(rekey, limits.rekeyMs);
      age.unref();
      // Does not count the first exchange, which is part of signing in, or other work in the meantime.
      const usedMs = computingSinceMs === undefined ? 0 : performance.now() - computingSinceMs;
      computingSinceMs = undefined;
      return usedMs === 0 ? 0 : budget.spend(Math.min(usedMs, EXCHANGE_MS_MAX));
    },
    stop() {
      clearTimeout(stall);
      clearTimeout(age);
    },
  };
}

function listenToWrites(protocol: PatchedProtocol, listener: (bytes: number) => void): void {
  const write = protocol._onWrite;
  protocol._onWrite = (data) => {
    listener(data.length);
    write(data);
  };
}
