/**
 * Reads a SOCKS greeting from a stream.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { Endpoint } from "./forward-spec.ts";
import { createSocksReader } from "./socks.ts";

/** A SOCKS client's destination, and the replies to send it. */
export interface SocksWish {
  readonly target: Endpoint;
  readonly granted: Buffer;
  readonly refused: Buffer;
}

/** Time limit of the whole greeting. */
const GREETING_TIMEOUT_MS = 30_000;

/**
 * Reads a greeting and leaves what follows in `stream`, which is then paused. Rejects an invalid greeting.
 */
export function readSocks(stream: Duplex): Promise<SocksWish> {
  const read = createSocksReader();
  let bytes = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      stream.off("data", onData).off("end", onEnd).off("close", onEnd);
      stream.pause();
      if (bytes.length > 0) stream.unshift(bytes);
    };
    const fail = (message: string): void => {
      settle();
      reject(new Error(message));
    };
    const timer = setTimeout(() => fail("no greeting in time"), GREETING_TIMEOUT_MS);
    const onEnd = (): void => fail("it has gone");
    const onData = (data: Buffer): void => {
      bytes = Buffer.concat([bytes, data]);
      for (;;) {
        const step = read(bytes);
        if (step.kind === "bad") {
          if (step.answer.length > 0) stream.write(step.answer);
          fail("not a greeting that we know");
          return;
        }
        bytes = bytes.subarray(step.used);
        if (step.kind === "connect") {
          settle();
          resolve(step);
          return;
        }
        if (step.answer.length > 0) stream.write(step.answer);
        if (step.used === 0) return;
      }
    };
    stream.on("data", onData).once("end", onEnd).once("close", onEnd);
    stream.resume();
  });
}
