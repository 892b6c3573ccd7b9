/**
 * Following management to another address: a link on which management says by the word of the log's key that
 * it has moved is over, and the next one goes there.
 *
 * @module
 */
import { type Clock, nowSeconds } from "../../base/clock.ts";
import { followMoves, type Move } from "../../log/move.ts";
import type { Enrolled } from "../../wire/agent-state-file.ts";
import type { ManagementMessage } from "../../wire/agent-sync.ts";
import type { ServedLog } from "../../wire/log-entry.ts";
import type { LogWitness } from "./log-witness.ts";
import type { LinkEnd } from "./management-link.ts";

export interface MoveFollower {
  readonly enrolled: Pick<Enrolled, "origin" | "accountId">;
  readonly clock: Clock;
  readonly witness?: { readonly log: Pick<LogWitness, "identity" | "pin"> };
  /** Takes the new place. False: this machine waits for root to say so. Absent: it follows nobody. */
  readonly onMoved?: ((move: Move) => Promise<boolean>) | undefined;
}

type Welcome = Pick<Extract<ManagementMessage, { type: "welcome" }>, "accountId" | "origin" | "log">;

/** How the link ends. Null: it goes on, or management is at another address without a word that counts. */
export async function endOfMoved(
  { accountId, origin, log }: Welcome,
  { enrolled, witness, clock, onMoved }: MoveFollower,
): Promise<{ readonly message: string; readonly how: LinkEnd } | null> {
  if (origin === enrolled.origin || accountId !== enrolled.accountId) return null;
  if (log === undefined || witness === undefined || onMoved === undefined) return null;
  const move = await moveOf(witness.log, log, { from: enrolled.origin, nowSeconds: nowSeconds(clock) });
  if (move?.to !== origin) return null;
  const message = `management has moved to ${origin}`;
  if (await onMoved(move)) return { message, how: { retryAfterMs: 0 } };
  const fix = `run qf agent up --management-url ${origin}`;
  return {
    message: `${message}, and this machine follows only when root says so`,
    how: { isBad: true, fix },
  };
}

/** Where management is now that was at `from`. Null: the key that was pinned before says no such thing. */
export async function moveOf(
  witness: Pick<LogWitness, "identity" | "pin">,
  log: ServedLog,
  at: { readonly from: string; readonly nowSeconds: number },
): Promise<Move | null> {
  if (log.moves === undefined || witness.identity === undefined || !(await witness.pin(log))) return null;
  return followMoves(log, { ...at, records: log.moves });
}
