/**
 * Follows management to a new address. When the log's key vouches for the move, the agent ends the link and
 * opens the next one at the new address.
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
  /** Adopts the new address. False: this machine waits until root confirms it. Absent: it follows no move. */
  readonly onMoved?: ((move: Move) => Promise<boolean>) | undefined;
}

type Welcome = Pick<Extract<ManagementMessage, { type: "welcome" }>, "accountId" | "origin" | "log">;

/** How the link ends because management has moved. Null: no move, or none that the log's key vouches for. */
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

/** Where the management that was at `from` is now. Null: the pinned key vouches for no move. */
export async function moveOf(
  witness: Pick<LogWitness, "identity" | "pin">,
  log: ServedLog,
  at: { readonly from: string; readonly nowSeconds: number },
): Promise<Move | null> {
  if (log.moves === undefined || witness.identity === undefined || !(await witness.pin(log))) return null;
  return followMoves(log, { ...at, records: log.moves });
}
