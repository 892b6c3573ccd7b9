/**
 * Key re-exchange: in time, by bytes and by age (RFC 4253 section 9), and not too often.
 *
 * @module
 */
import type { PatchedConnection } from "./patched-ssh2.ts";
import type { WireLimits } from "./wire-limits.ts";

export interface Rekeyer {
  /** Bytes came in on an open connection. */
  received(bytes: number): void;
  /** The peer begins a key exchange. False: it does so too often. */
  mayBegin(): boolean;
  /** A key exchange is done; whether it is the first one does not matter. */
  finished(): void;
  stop(): void;
}

/** Watches one connection. `onStall` is called when a key exchange does not end. */
export function createRekeyer(
  connection: PatchedConnection,
  limits: WireLimits,
  isOpen: () => boolean,
  onStall: () => void,
): Rekeyer {
  const protocol = connection._protocol;
  let bytes = 0;
  let stall: ReturnType<typeof setTimeout> | undefined;
  let age: ReturnType<typeof setTimeout> | undefined;
  let left = limits.rekeysMax;
  let leftAtMs = performance.now();
  const write = protocol._onWrite;
  protocol._onWrite = (data) => {
    bytes += data.length;
    write(data);
  };
  const watch = (): void => {
    stall ??= setTimeout(onStall, limits.rekeyStallMs);
  };
  const rekey = (): void => {
    // Before anybody is signed in a client could not cope with it, and the grace time bounds all.
    if (!isOpen() || protocol._kexinit !== undefined) return;
    watch();
    protocol.rekey();
  };
  return {
    received(count) {
      bytes += count;
      if (bytes >= limits.rekeyBytes) rekey();
    },
    mayBegin() {
      watch();
      const nowMs = performance.now();
      left = Math.min(limits.rekeysMax, left + ((nowMs - leftAtMs) / 1000) * limits.rekeysPerSecond);
      leftAtMs = nowMs;
      left -= 1;
      return left >= 0;
    },
    finished() {
      bytes = 0;
      clearTimeout(stall);
      clearTimeout(age);
      stall = undefined;
      age = setTimeout(rekey, limits.rekeyMs);
      age.unref();
    },
    stop() {
      clearTimeout(stall);
      clearTimeout(age);
    },
  };
}
