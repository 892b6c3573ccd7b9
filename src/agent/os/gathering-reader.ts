/**
 * Joins the reads of a terminal's flood. The kernel gives at most 4 kB of a terminal at a time, and a packet
 * for each would cost the client and the relay more than the bytes do.
 *
 * A short read, such as an echoed key or the end of a screen, is passed on at once.
 *
 * @module
 */
import type { FdReader } from "./pipes.ts";

/** A read of this size took all that the kernel had room for, so more is likely. Linux gives 4095 or 4096. */
const FULL_BYTES = 4_000;
/** One SSH packet. */
const GATHER_BYTES = 32 * 1024;
/** Longest wait for more, in milliseconds. No person sees it. */
const GATHER_MS = 2;

/** `reader`, with the reads of a flood joined. `waitMs` is for tests. */
export function createGatheringReader(reader: FdReader, waitMs = GATHER_MS): FdReader {
  let pending: Promise<Uint8Array | null> | null = null;
  const next = (): Promise<Uint8Array | null> => {
    pending ??= reader.read();
    return pending;
  };
  return {
    async read() {
      const first = await next();
      // The end stays pending, so that it is told again.
      if (first === null) return null;
      pending = null;
      if (first.length < FULL_BYTES) return first;
      const parts = [first];
      let bytes = first.length;
      const late = Bun.sleep(waitMs).then((): "late" => "late");
      while (bytes < GATHER_BYTES) {
        const more = await Promise.race([next(), late]);
        if (more === "late" || more === null) break;
        pending = null;
        parts.push(more);
        bytes += more.length;
        if (more.length < FULL_BYTES) break;
      }
      return parts.length === 1 ? first : Buffer.concat(parts);
    },
    close: () => reader.close(),
  };
}
