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
   * Bytes that may wait for all readers, for one machine, and for one tunnel. Default 256 MiB, 64 MiB, 64
   * MiB. Once half of the total is used, each peer may have a sixteenth of it (send-queue.ts).
   */
  readonly waitingBytesMax: number;
  readonly waitingBytesPerAgentMax: number;
  readonly waitingBytesPerTunnelMax: number;
  /** Milliseconds after a change in which machines should end forbidden streams themselves. Default 3000. */
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

/** Bytes that may wait for one client: a window, and small frames beside it. */
export const WAITING_BYTES_PER_CLIENT_MAX = RELAY_CREDIT_MAX + 256 * 1024;
