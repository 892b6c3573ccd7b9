/**
 * Default limits of the relay.
 *
 * @module
 */
import { RELAY_STREAMS_MAX } from "../../fabric/relay-client.ts";
import { RELAY_CREDIT_MAX } from "../../wire/relay.ts";
import type { StreamLimits } from "./streams.ts";

export interface RelayLimits extends StreamLimits {
  /** Streams in total, of one dialling device, and to one machine. Default 16384, 256, 2048. */
  readonly streamsPerAgentMax: number;
  /**
   * Bytes that may wait for all readers, for one machine, one process. Default 256 MB, 64 MB, 64 MB. When
   * half of all is taken, one peer may have a sixteenth (send-queue.ts).
   */
  readonly waitingBytesMax: number;
  readonly waitingBytesPerAgentMax: number;
  readonly waitingBytesPerTunnelMax: number;
  /** Milliseconds after a change in which machines end themselves what is no longer allowed. Default 3000. */
  readonly recheckMs: number;
}

export const RELAY_LIMITS: RelayLimits = {
  streamsMax: 16_384,
  streamsPerSourceMax: 256,
  streamsPerAgentMax: RELAY_STREAMS_MAX,
  waitingBytesMax: 256 * 1024 * 1024,
  waitingBytesPerAgentMax: 64 * 1024 * 1024,
  waitingBytesPerTunnelMax: 64 * 1024 * 1024,
  recheckMs: 3_000,
};

/** What may wait for one client: a window, and small frames beside it. */
export const WAITING_BYTES_PER_CLIENT_MAX = RELAY_CREDIT_MAX + 256 * 1024;
