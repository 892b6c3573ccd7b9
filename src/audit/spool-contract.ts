/**
 * The spool's interface to the rest of the agent. `spool.ts` opens one.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { AgentEvent } from "../wire/audit-event.ts";
import type { AuditSink } from "./sink.ts";

/** Location and bounds of a spool. */
export interface SpoolOptions {
  /** Created with mode 0700 if missing. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Bytes on disk beyond which events are refused. Default 256 MiB. */
  readonly bytesMax?: number;
  /** Of those, the share that `auth.failed` may fill. Default one half. */
  readonly unprovenShare?: number;
  /** Size after which a new segment begins; acknowledged segments are deleted whole. Default 1 MiB. */
  readonly segmentBytesMax?: number;
  /** Events up to this number are proven to be in the log (`batch-journal.ts`). Default 0. */
  readonly releasedThrough?: number;
}

/** How full a spool is, and whether it is writable. */
export interface SpoolState {
  /** Unacknowledged events. */
  readonly events: number;
  /** Bytes on disk or queued, including acknowledged events whose segment is still in use. */
  readonly bytes: number;
  /** Above this nothing is stored, and so nothing permitted. */
  readonly bytesMax: number;
  /** A write failed and could not be undone: nothing more is stored. */
  readonly isBroken: boolean;
  /** The last write failed and was undone; the actions it would have permitted were refused. */
  readonly isFailing: boolean;
}

/** A spool: events in, batches out, acknowledgements back. */
export interface Spool extends AuditSink {
  state(): SpoolState;
  /** The first number not yet acknowledged, as far as this process knows; 1 or more. */
  readonly nextUnacknowledged: number;
  /**
   * Stored events from number `fromSeq` on, in order: at most `max` events of about `bytesMax` bytes together
   * (default 1 MiB), and at least one where there is one. Fewer than `max` does not mean that there are no
   * more.
   */
  pending(fromSeq: number, max: number, bytesMax?: number): Promise<AgentEvent[]>;
  /**
   * Management has every event up to and including number `seq`. A number not assigned yet means that this
   * spool was lost or restored. Pending events are then renumbered after it, so that management does not
   * mistake them for repeats, and the loss is recorded.
   */
  acknowledge(seq: number): Promise<void>;
  /**
   * From now on an acknowledgement alone deletes nothing: `release` tells which events are proven to be in
   * the log.
   */
  hold(): void;
  /**
   * Events up to number `seq` are proven. They are kept for 7 days, within 64 MB, in case the log loses them,
   * and do not count towards the bound.
   */
  release(seq: number): Promise<void>;
  /** Management has events only before number `seq`: stored events from there on are pending again. */
  rewind(seq: number): void;
  /** As `pending`, but including acknowledged events. */
  stored(fromSeq: number, max: number): Promise<AgentEvent[]>;
  /** The lowest number that may still be stored. */
  readonly firstStored: number;
  /** Calls `listener` after each store, for the uploader. Returns a function that stops it. */
  onStored(listener: () => void): () => void;
  /** Refuses new events, stores waiting ones, then closes. */
  close(): Promise<void>;
}
