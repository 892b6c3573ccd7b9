/**
 * Wording of the alarms about the account's log.
 *
 * @module
 */
import type { LogAlarm } from "../../wire/log-witness.ts";

/** One line for every user who is admitted. Null: no alarm. */
export function noticeOf(alarms: readonly LogAlarm[]): string | null {
  const [first] = alarms;
  return first === undefined ? null : `Warning: ${sentenceOfAlarm(first.kind)}. Tell your administrator.`;
}

/** The sentence for an alarm, the same for every reader. */
export function sentenceOfAlarm(kind: LogAlarm["kind"]): string {
  switch (kind) {
    case "forked":
      return "the account's audit log was rewritten or forked: two of its checkpoints contradict each other";
    case "cut_back":
      return "the account's audit log was cut back: this machine has seen a longer one";
    case "other_key":
      return "management signs the account's audit log with a key that this machine does not know";
    case "own_key":
      return "the account's audit log has another device key for this machine than its own";
  }
}
