/**
 * The spool as the rest of an agent sees it. `spool.ts` opens one.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { AgentEvent } from "../wire/audit-event.ts";
import type { AuditSink } from "./sink.ts";

/** The place and the bounds of a spool. */
export interface SpoolOptions {
  /** Made with mode 0700 when it is not there. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Bytes on disk beyond which events are refused. Default 256 MiB. */
  readonly bytesMax?: number;
  /** Of those, the share that `auth.failed` may fill. Default one half. */
  readonly unprovenShare?: number;
  /** Bytes after which a new segment begins; acknowledged ones are deleted whole. Default 1 MiB. */
  readonly segmentBytesMax?: number;
  /** Events through this number are proven to be in the log (`batch-journal.ts`). Default 0. */
  readonly releasedThrough?: number;
}

/** The fill of a spool, and whether it can be written. */
export interface SpoolState {
  /** Events that nobody has acknowledged yet. */
  readonly events: number;
  /** On disk and on their way there; with acknowledged events whose segment is still in use. */
  readonly bytes: number;
  /** Beyond this nothing is stored, and so nothing is permitted. */
  readonly bytesMax: number;
  /** A write failed and could not be undone: nothing is stored any more. */
  readonly isBroken: boolean;
  /** The last write failed and was undone: the acts that it was to permit were refused. */
  readonly isFailing: boolean;
}

/** A spool as the agent uses it: events in, batches out, acknowledgements back. */
export interface Spool extends AuditSink {
  state(): SpoolState;
  /** The first number not yet acknowledged, as far as this process knows; 1 or more. */
  readonly nextUnacknowledged: number;
  /**
   * Stored events from number `fromSeq` on, in order: at most `max` events of about `bytesMax` bytes together
   * (default 1 MiB), and at least one where there is one. Fewer do not mean that there are no more.
   */
  pending(fromSeq: number, max: number, bytesMax?: number): Promise<AgentEvent[]>;
  /**
   * Management has every event up to and including number `seq`. A number that was not given out yet means
   * that this spool was lost or set back: pending events are then numbered anew behind it, so that management
   * does not take them for repetitions, and the loss is recorded.
   */
  acknowledge(seq: number): Promise<void>;
  /**
   * From now on nothing is forgotten for an acknowledgement alone: `release` says what is proven to be in the
   * log.
   */
  hold(): void;
  /**
   * Events through number `seq` are proven. They are kept for 7 days, within 64 MB, for a log that loses
   * them, and are in no one's way.
   */
  release(seq: number): Promise<void>;
  /** Management has events only before number `seq`: what is still here is pending again from there. */
  rewind(seq: number): void;
  /** As `pending`, but for events that were acknowledged as well. */
  stored(fromSeq: number, max: number): Promise<AgentEvent[]>;
  /** The first number that may still be stored here. */
  readonly firstStored: number;
  /** Calls `listener` after each store, for the uploader. Returns how to stop. */
  onStored(listener: () => void): () => void;
  /** Refuses new events, stores those that wait, then closes. */
  close(): Promise<void>;
}
