/**
 * /api/web-sessions: the caller's dashboard sessions, and signing out of them.
 *
 * @module
 */
import { Empty, NoQuery, PageQuery } from "../../../wire/admin-query.ts";
import { WebSession } from "../../../wire/web-session.ts";
import {
  deleteWebSession,
  listWebSessions,
  WEB_SESSION_IDLE_SECONDS,
  type WebSessionRow,
} from "../../db/tables/web-sessions.ts";
import { NO_SESSION_COOKIE } from "../session-cookie.ts";
import { notFound } from "./access.ts";
import { listingById } from "./paging.ts";
import { type Call, isoTime, type Route, route } from "./route.ts";

export const webSessionRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/web-sessions",
    summary: "The caller's sign-ins to the dashboard",
    access: "self",
    query: PageQuery,
    answer: { listOf: WebSession },
    handle: (call) =>
      call.read(async (tx) =>
        listingById(call.query, await listWebSessions(tx, call.accountId, call.user.id), (row) =>
          asSession(row, call.principal.credential.id),
        ),
      ),
  }),
  route({
    method: "delete",
    path: "/api/web-sessions/:sessionId",
    summary: "Ends a sign-in of the caller to the dashboard; `current` is the one that asks",
    access: "self",
    query: NoQuery,
    answer: { one: Empty },
    headers: (call) => (sessionIdOf(call) === call.principal.credential.id ? SIGNED_OUT : {}),
    handle: (call) =>
      call.change({}, async (tx, actor) => {
        const id = sessionIdOf(call);
        if (!(await deleteWebSession(tx, actor.id, id))) throw notFound("session");
        tx.record({ activity: "dashboard.logout", targetId: actor.id, meta: { session: id } });
        return {};
      }),
  }),
];

/** Tells the browser to delete the cookie and what our pages stored. */
const SIGNED_OUT = { "Set-Cookie": NO_SESSION_COOKIE, "Clear-Site-Data": '"cache", "storage"' };

function sessionIdOf(call: Pick<Call, "principal" | "param">): string {
  const { credential } = call.principal;
  const id = call.param("sessionId");
  return id === "current" && credential.kind === "session" ? credential.id : id;
}

function asSession(row: WebSessionRow, currentId: string): WebSession {
  return {
    id: row.id,
    created_at: isoTime(row.createdAt),
    last_seen: isoTime(row.lastSeenAt),
    expires_at: isoTime(row.expiresAt),
    idle_until: isoTime(Math.min(row.expiresAt, row.lastSeenAt + WEB_SESSION_IDLE_SECONDS)),
    source_address: row.sourceAddress,
    browser: row.browser,
    current: row.id === currentId,
  };
}
