/**
 * The client side of `qf ping`: measures round trips on a stream opened for it.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { QfError } from "../base/errors.ts";
import { parseJson } from "../base/files.ts";
import { PING_ANSWER_BYTES_MAX, PING_LINE, PingAnswer } from "../wire/ping.ts";

export interface PingSample {
  readonly roundTripMs: number;
  /** Our clock minus the peer's in milliseconds, assuming equal delay in both directions. */
  readonly clockOffsetMs: number;
  readonly answer: PingAnswer;
}

export interface PingOptions {
  /** Answers wanted, 1 to PING_COUNT_MAX - 1. */
  readonly count: number;
  /** Milliseconds between an answer and the next ping. */
  readonly intervalMs: number;
  /** Milliseconds for each answer. */
  readonly timeoutMs: number;
  /** Unix time in milliseconds. */
  nowMs(): number;
  onSample?(sample: PingSample): void;
}

/**
 * Pings over `stream`, whose greeting is still unread, and ends it. Fewer samples than requested mean that
 * the peer stopped answering. Throws ERR_PEER_UNREACHABLE for a line that is not an answer.
 */
export async function pingOver(stream: Duplex, options: PingOptions): Promise<PingSample[]> {
  const lines = readLines(stream);
  const samples: PingSample[] = [];
  try {
    // The greeting was not requested, so it measures nothing.
    if ((await lines.next(options.timeoutMs)) === undefined) return samples;
    while (samples.length < options.count) {
      if (samples.length > 0) await Bun.sleep(options.intervalMs);
      const sentAtMs = options.nowMs();
      const startedMs = performance.now();
      if (stream.destroyed) return samples;
      stream.write(PING_LINE);
      const line = await lines.next(options.timeoutMs);
      if (line === undefined) return samples;
      const roundTripMs = performance.now() - startedMs;
      const answer = parseAnswer(line);
      const clockOffsetMs = Math.round(sentAtMs + roundTripMs / 2 - answer.nowMs);
      const sample = { roundTripMs, clockOffsetMs, answer };
      samples.push(sample);
      options.onSample?.(sample);
    }
    return samples;
  } finally {
    stream.on("error", () => {});
    stream.destroy();
  }
}

function parseAnswer(line: string): PingAnswer {
  const parsed = PingAnswer.safeParse(parseJson(line));
  if (parsed.success) return parsed.data;
  throw new QfError("ERR_PEER_UNREACHABLE", "the peer gives an answer that makes no sense", {
    hint: "check that it runs the same version of qf",
    cause: parsed.error,
  });
}

/** Lines of `stream`, one at a time. Undefined at the end or after the time-out. */
function readLines(stream: Duplex): { next(timeoutMs: number): Promise<string | undefined> } {
  let buffered = "";
  let hasEnded = false;
  let wake: () => void = () => {};
  const end = () => {
    hasEnded = true;
    wake();
  };
  stream.on("data", (chunk: Buffer) => {
    buffered += chunk.toString("latin1");
    if (buffered.length > PING_ANSWER_BYTES_MAX) stream.destroy();
    wake();
  });
  stream.on("end", end).on("close", end).on("error", end);
  stream.resume();
  return {
    async next(timeoutMs) {
      const endMs = performance.now() + timeoutMs;
      for (;;) {
        const newline = buffered.indexOf("\n");
        if (newline !== -1) {
          const line = buffered.slice(0, newline);
          buffered = buffered.slice(newline + 1);
          return line;
        }
        const leftMs = endMs - performance.now();
        if (hasEnded || leftMs <= 0) return undefined;
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        const timer = setTimeout(resolve, leftMs);
        await promise;
        clearTimeout(timer);
      }
    },
  };
}
