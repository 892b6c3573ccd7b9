/**
 * Ends a session by hand. Who ordered it and why is recorded first; then the machine ends it and tells the
 * person.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";
import type { Session, SessionKill } from "../../../wire/session.ts";
import { findSshSessions } from "../../db/tables/ssh-sessions.ts";
import type { UserRow } from "../../db/tables/users.ts";
import { notFound } from "./access.ts";
import { findSession, mayEnd, renderSessions } from "./find-session.ts";
import type { Call } from "./route.ts";
import { asSession, type KnownSession, namesFor } from "./sessions-view.ts";

/** How long an answer waits for the session to end. */
const END_WAIT_MS = 3_000;
/** Most characters of the administrator's name in the text for the person. */
const NAME_LENGTH_MAX = 64;

/** Records the order, sends it, and answers once the session has ended or a time limit has passed. */
export async function killSession(call: Call<SessionKill>): Promise<Session> {
  const { ctx, accountId } = call;
  const reason = call.body.reason ?? null;
  const ordered = await call.change({}, async (tx, actor) => {
    const { one, state } = await findSession(tx, { ...call, user: actor });
    if (!mayEnd(actor, one)) {
      throw new QfError("ERR_FORBIDDEN", `the role ${actor.role} may not end a session of somebody else`);
    }
    if (state === "ended") throw new QfError("ERR_CONFLICT", "this session has ended already");
    if (!ctx.isConnected(one.peerId)) {
      throw new QfError("ERR_CONFLICT", "the machine of this session has no link to management now", {
        hint: "block the person or the machine: that takes effect when it is back",
      });
    }
    const names = await namesFor(tx, accountId, [one]);
    const { peerId, connectionId, userId } = one;
    const { machine, user, local_user } = asSession(one, { names, state, mayEnd: true });
    tx.record({
      activity: "ssh.session.kill",
      targetId: peerId,
      meta: { machine, user, local_user, ...(reason === null ? {} : { reason }) },
      data: { connectionId, userId, reason },
    });
    return { one, text: endText(actor, one, reason) };
  });
  const { peerId, connectionId } = ordered.one;
  const over = listenForEnd(call, ordered.one);
  try {
    if (!ctx.endSession(peerId, connectionId, ordered.text)) {
      throw new QfError(
        "ERR_UNAVAILABLE",
        "the machine of this session has just lost its link to management",
      );
    }
    await over.ended;
  } finally {
    over.stop();
  }
  const [session] = await call.read(async (tx) =>
    renderSessions(tx, call, [(await findSession(tx, call)).one]),
  );
  if (session === undefined) throw notFound("session");
  return session;
}

/** The text in the person's terminal: at most 256 characters, which is what a machine accepts. */
function endText(actor: UserRow, { userId }: KnownSession, reason: string | null): string {
  const name = (actor.name || actor.email).slice(0, NAME_LENGTH_MAX);
  const who = userId === actor.id ? "you ended this session" : `${name} ended this session`;
  return reason === null ? who : `${who}: ${reason}`;
}

/** `ended` resolves when the session's end is recorded, or at the time limit. */
function listenForEnd(
  { ctx: { store }, accountId }: Call<SessionKill>,
  { peerId, connectionId }: KnownSession,
): { readonly ended: Promise<void>; stop(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = async (): Promise<void> => {
    const rows = await store.read((tx) => findSshSessions(tx, accountId, [connectionId]));
    if (rows.some((row) => row.peerId === peerId && row.closedAtMs !== null)) resolve();
  };
  const unsubscribe = store.onAudit((changed) => {
    if (changed === accountId) look().catch(() => resolve());
  });
  const timer = setTimeout(resolve, END_WAIT_MS);
  // It may have ended before the listener was installed.
  look().catch(() => resolve());
  const stop = (): void => {
    clearTimeout(timer);
    unsubscribe();
  };
  return { ended: promise, stop };
}
