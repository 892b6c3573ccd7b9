/**
 * Takes the spool to management: one batch at a time, the next after its acknowledgement.
 *
 * @module
 */
import type { Spool } from "../audit/spool.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { type AgentEvent, AUDIT_BATCH_MAX } from "../wire/audit-event.ts";

/** A batch without an answer is sent again after this; management knows repetitions by their number. */
const ANSWER_MS_MAX = 30_000;

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

  async function upload(): Promise<void> {
    if (isReading) isAgain = true;
    if (send === null || sentAtMs !== null || isReading) return;
    isReading = true;
    const sendNow = send;
    try {
      do {
        isAgain = false;
        const events = await spool.pending(spool.nextUnacknowledged, AUDIT_BATCH_MAX);
        if (send !== sendNow || events.length === 0) continue;
        sentAtMs = clock.monotonicMs();
        sendNow(events);
        return;
      } while (isAgain && send !== null);
    } catch (cause) {
      log.error("the audit spool can not be read", {}, cause);
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
      void upload();
    },
    stop() {
      send = null;
      sentAtMs = null;
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
      send = null;
    },
  };
}
