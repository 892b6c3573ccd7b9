/**
 * Reads a proxy greeting from a stream.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { createGreetingReader, type GreetingStep, type ProxySecret } from "./socks-greeting.ts";

export type Greeting = Extract<GreetingStep, { kind: "connect" }>;

/** Time limit of the whole greeting. */
const GREETING_TIMEOUT_MS = 10_000;

/**
 * Reads a greeting, and leaves what follows in `stream`, which is then paused. Null when it is invalid or
 * late; a protocol-level answer has then been sent.
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
