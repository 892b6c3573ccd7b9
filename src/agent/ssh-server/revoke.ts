/**
 * The only way in which the machine ends what runs: for policy, time, an administrator's order, an old map,
 * or its own stop. A connection always ends whole: processes, sockets and transport.
 *
 * @module
 */
import { denialLine } from "../../policy/sentences.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { Revocable } from "./permission.ts";
import { findRevocation } from "./recheck.ts";

/** Longest wait for the processes of an ended connection to exit. */
const KILL_TIMEOUT_MS = 800;
/** Pauses before those that outlasted it are killed again, for example where the processor is overloaded. */
const KILL_AGAIN_MS = [100, 1_000, 5_000, 30_000];

/** Rechecks everything that runs, and ends the connection at the first denial. */
export function recheck(connection: Revocable): void {
  const { permits, state, lastActivityMs } = connection;
  if (permits === null || state.isOver) return;
  const reason = findRevocation(permits, lastActivityMs);
  if (reason !== null) void revoke(connection, reason);
}

/**
 * Ends a whole connection. The person is shown `text`, and `reason` is recorded. Resolves when nothing is
 * left. Only the first call counts.
 */
export function revoke(
  connection: Revocable,
  reason: ReasonCode,
  text = denialLine(reason, null),
): Promise<void> {
  if (connection.state.take("end", reason)) connection.revoked = end(connection, `Access revoked: ${text}`);
  return connection.revoked ?? connection.closed;
}

async function end(connection: Revocable, text: string): Promise<void> {
  connection.sayLast(text);
  // Before the processes are killed, because the forward helper removes the sockets that it made.
  await connection.closeForwards();
  await endPrograms(connection);
  await connection.closed;
}

/** Ends every program of a connection that is revoked, or whose required recording failed. */
export async function endPrograms({
  containment,
  log,
  id,
}: Pick<Revocable, "containment" | "log" | "id">): Promise<void> {
  if (await containment.killAll(KILL_TIMEOUT_MS)) return;
  log.error("processes of an ended connection are left", { connectionId: id });
  // Nobody waits for this.
  void endLeft(containment).catch(() => {});
}

async function endLeft(containment: Revocable["containment"]): Promise<void> {
  for (const waitMs of KILL_AGAIN_MS) {
    await Bun.sleep(waitMs);
    const isDone = await containment.killAll(KILL_TIMEOUT_MS);
    if (isDone) return;
  }
}
