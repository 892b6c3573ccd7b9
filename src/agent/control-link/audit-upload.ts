/**
 * Takes the spool to management: one batch at a time, the next after its acknowledgement. A lone event
 * goes at once; in a burst, what comes within moments of a batch goes together in the next.
 *
 * @module
 */
import type { Spool } from "../../audit/spool.ts";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { type AgentEvent, AUDIT_BATCH_MAX } from "../../wire/audit-event.ts";

/** A batch without an answer is sent again after this; management knows repetitions by their number. */
const ANSWER_MS_MAX = 30_000;
/**
 * Shortest time from one batch to the next: a message, a transaction at management and an answer for each
 * new stream would take longer than the stream. Less than a program of a session takes to start.
 */
const GATHER_MS = 10;

export interface AuditUpload {
  /** The link is up. */
  start(send: (events: AgentEvent[]) => void): void;
  /** The link is down: what was sent counts as not sent. */
  stop(): void;
  acknowledge(throughSeq: number): Promise<void>;
  /** Now and then: sends again what was not answered. */
  beat(): void;
  close(): void;
}

export function createAuditUpload(options: { spool: Spool; clock: Clock; log: Log }): AuditUpload {
  const { spool, clock, log } = options;
  let send: ((events: AgentEvent[]) => void) | null = null;
  /** When the batch that waits for its answer was sent. Null: none waits. */
  let sentAtMs: number | null = null;
  let isReading = false;
  /** Something was stored while the spool was being read. */
  let isAgain = false;
  /** Runs for a moment after each batch. */
  let gathering: NodeJS.Timeout | null = null;

  /** What came meanwhile goes when the moment is over; a backlog does not wait. */
  function isGathering(): boolean {
    return gathering !== null && spool.state().events < AUDIT_BATCH_MAX;
  }

  function endGathering(): void {
    if (gathering !== null) clearTimeout(gathering);
    gathering = null;
  }

  async function upload(): Promise<void> {
    if (isReading) isAgain = true;
    if (send === null || sentAtMs !== null || isReading || isGathering()) return;
    isReading = true;
    const sendNow = send;
    try {
      do {
        isAgain = false;
        const events = await spool.pending(spool.nextUnacknowledged, AUDIT_BATCH_MAX);
        if (send !== sendNow || events.length === 0) continue;
        sentAtMs = clock.monotonicMs();
        endGathering();
        gathering = setTimeout(() => {
          gathering = null;
          void upload();
        }, GATHER_MS);
        sendNow(events);
        return;
      } while (isAgain && send !== null);
    } catch (cause) {
      log.error("the audit spool cannot be read", {}, cause);
    } finally {
      isReading = false;
      // A new link came up while the old one's read was under way.
      if (send !== null && send !== sendNow) void upload();
    }
  }

  const stopListening = spool.onStored(() => void upload());
  return {
    start(to) {
      send = to;
      endGathering();
      void upload();
    },
    stop() {
      send = null;
      sentAtMs = null;
      endGathering();
    },
    async acknowledge(throughSeq) {
      await spool.acknowledge(throughSeq);
      sentAtMs = null;
      void upload();
    },
    beat() {
      if (sentAtMs === null || clock.monotonicMs() - sentAtMs <= ANSWER_MS_MAX) return;
      sentAtMs = null;
      void upload();
    },
    close() {
      stopListening();
      endGathering();
      send = null;
    },
  };
}

/** How long a stop waits for management to take the last events; the spool keeps them anyway. */
const LAST_UPLOAD_MS = 1_000;

/** Waits until management has all events, while there is a link. */
export async function lastUpload(spool: Spool, isConnected: () => boolean): Promise<void> {
  for (let waitedMs = 0; waitedMs < LAST_UPLOAD_MS && isConnected(); waitedMs += 20) {
    if ((await spool.pending(spool.nextUnacknowledged, 1)).length === 0) return;
    await Bun.sleep(20);
  }
}
