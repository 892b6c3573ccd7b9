/**
 * Finds lost tails that the log itself records and no owner has acknowledged.
 *
 * @module
 */
import { type LogEntry, LostTailRecord } from "../wire/log-entry.ts";
import type { LogFinding } from "./finding.ts";

/** Most findings kept. */
const WAITING_MAX = 100;

export class LostTailCheck {
  #waiting: LogFinding[] = [];

  take({ seq, activity_code, data }: LogEntry): void {
    if (activity_code === "log.lost.acknowledge") this.#waiting = [];
    const record = activity_code === "log.lost" ? LostTailRecord.safeParse(data) : undefined;
    if (record?.success !== true || this.#waiting.length >= WAITING_MAX) return;
    const { from, to } = record.data;
    const lost = `entries ${from} to ${to}, which machines had seen, were lost`;
    const sentence = `${lost}, and no owner has acknowledged it`;
    this.#waiting.push({ code: "tail_lost", seq, sentence });
  }

  end(): readonly LogFinding[] {
    return this.#waiting;
  }
}
