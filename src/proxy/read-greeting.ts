/**
 * A proxy greeting read from a stream.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { createGreetingReader, type GreetingStep, type ProxySecret } from "./socks-greeting.ts";

export type Greeting = Extract<GreetingStep, { kind: "connect" }>;

/** Longest for the whole greeting. */
const GREETING_TIMEOUT_MS = 10_000;

/**
 * Reads a greeting; what follows it stays in `stream`, which is paused then. Null: it is none, or it did not
 * come in time; what there is to answer is answered.
 */
export function readGreeting(
  stream: Duplex,
  secret: ProxySecret,
  timeoutMs = GREETING_TIMEOUT_MS,
): Promise<Greeting | null> {
  const read = createGreetingReader(secret);
  let bytes: Buffer = Buffer.alloc(0);
  return new Promise((resolve) => {
    const settle = (greeting: Greeting | null): void => {
      clearTimeout(timer);
      stream.off("data", onData).off("end", onGone).off("close", onGone);
      stream.pause();
      if (bytes.length > 0) stream.unshift(bytes);
      resolve(greeting);
    };
    const onGone = (): void => settle(null);
    const timer = setTimeout(onGone, timeoutMs);
    const onData = (data: Buffer): void => {
      bytes = Buffer.concat([bytes, data]);
      for (;;) {
        const step = read(bytes);
        if (step.kind === "bad") {
          if (step.answer.length > 0) stream.write(step.answer);
          settle(null);
          return;
        }
        bytes = bytes.subarray(step.used);
        if (step.kind === "connect") {
          settle(step);
          return;
        }
        if (step.answer.length > 0) stream.write(step.answer);
        if (step.used === 0) return;
      }
    };
    stream.on("data", onData).once("end", onGone).once("close", onGone);
    stream.resume();
  });
}
