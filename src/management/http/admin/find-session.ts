/**
 * A session as one caller may see it: whether they may know of it, whether they may end it, and what they are
 * shown. Read `isVisible` and `mayEnd` first.
 *
 * @module
 */
import type { Session, SessionState } from "../../../wire/session.ts";
import { type AccountId, Id } from "../../../wire/units.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import { findApprovalOf } from "../../db/tables/access-requests.ts";
import { findSshSessions } from "../../db/tables/ssh-sessions.ts";
import { knownUsers, type UserRow } from "../../db/tables/users.ts";
import { mayCall, notFound } from "./access.ts";
import { liveConnections } from "./live-connections.ts";
import type { Call } from "./route.ts";
import { asSession, joinSessions, type KnownSession, namesFor, stateOfSession } from "./sessions-view.ts";

/** Whether `user` may know of the session. */
export function isVisible(user: UserRow, { userId }: Pick<KnownSession, "userId">): boolean {
  return userId === user.id || mayCall(user.role, "read");
}

/** Whether `user` may end the session: their own, or any with a role that may write. */
export function mayEnd(user: UserRow, { userId }: Pick<KnownSession, "userId">): boolean {
  return userId === user.id || mayCall(user.role, "write");
}

export function stateIn({ ctx }: Pick<Call, "ctx">, tx: Reader): (session: KnownSession) => SessionState {
  const now = { ms: tx.clock.nowMs(), isConnected: ctx.isConnected };
  return (session) => stateOfSession(session, now);
}

export async function renderSessions(
  tx: Reader,
  call: Pick<Call, "ctx" | "accountId" | "user">,
  sessions: readonly KnownSession[],
): Promise<Session[]> {
  const names = await namesFor(tx, call.accountId, sessions);
  const stateOf = stateIn(call, tx);
  return sessions.map((one) =>
    asSession(one, { names, state: stateOf(one), mayEnd: mayEnd(call.user, one) }),
  );
}

/**
 * Finds the session of that id that the caller may see. Two machines may report the same id, one of them
 * dishonestly; a live session is preferred. Throws ERR_NOT_FOUND.
 */
export async function findSession(tx: Reader, call: Pick<Call, "ctx" | "accountId" | "user" | "param">) {
  const id = call.param("sessionId");
  const live = liveConnections(call.ctx.sessions(call.accountId));
  for (const [key, { connectionId }] of live) if (connectionId !== id) live.delete(key);
  const rows = Id.safeParse(id).success ? await findSshSessions(tx, call.accountId, [id]) : [];
  const stateOf = stateIn(call, tx);
  const found = joinSessions(rows, live)
    .filter((one) => isVisible(call.user, one))
    .map((one) => ({ one, state: stateOf(one) }))
    .sort((a, b) => Number(b.state === "live") - Number(a.state === "live"));
  const [first] = found;
  if (first === undefined) throw notFound("session");
  return first;
}

/** Tolerates machine clocks that are behind: an approval may seem to come after the session's start. */
const CLOCK_SECONDS = 60;

/** Who approved the session. Null: it needed no approval, or the request is not stored any more. */
export async function approverOf(
  tx: Reader,
  accountId: AccountId,
  { row }: Pick<KnownSession, "row">,
): Promise<{ readonly id: string; readonly name: string } | null> {
  if (row === null) return null;
  const { userId, devicePeerId, ruleId, localUser, peerId: machinePeerId, openedAtMs } = row;
  if (userId === null || devicePeerId === null || ruleId === null) return null;
  const atSeconds = Math.floor(openedAtMs / 1000);
  const of = { userId, devicePeerId, machinePeerId, localUser, ruleId };
  const access = { ...of, atSeconds, clockSeconds: CLOCK_SECONDS };
  const approval = await findApprovalOf(tx, accountId, access);
  const id = approval?.decidedBy ?? null;
  if (id === null) return null;
  const [decider] = await knownUsers(tx, accountId, [id]);
  return { id, name: decider?.email || decider?.name || id };
}
