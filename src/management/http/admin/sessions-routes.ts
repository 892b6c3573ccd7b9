/**
 * /api/sessions: current and past sessions, what happened in them, and ending them.
 *
 * Everyone sees and ends their own. Callers who may read the account see all; only those who may change it
 * end another person's (`find-session.ts`).
 *
 * @module
 */
import {
  SESSION_EVENTS_MAX,
  Session,
  SessionDetail,
  SessionKill,
  SessionQuery,
} from "../../../wire/session.ts";
import { Id } from "../../../wire/units.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import { listPeersByName } from "../../db/tables/peer-names.ts";
import {
  countSshSessions,
  findSshSessions,
  listConnectionEvents,
  listSshSessions,
  type SshSessionFilter,
  type SshSessionPlace,
} from "../../db/tables/ssh-sessions.ts";
import { listUsersNamed } from "../../db/tables/users.ts";
import { mayCall, notFound } from "./access.ts";
import { approverOf, findSession, renderSessions, stateIn } from "./find-session.ts";
import { type LiveConnection, liveConnections } from "./live-connections.ts";
import type { Listing } from "./paging.ts";
import { type Call, type Route, route } from "./route.ts";
import { happenedIn } from "./session-events.ts";
import { killSession } from "./session-kill.ts";
import { compareSessions, isAskedFor, isBehind, joinSessions } from "./sessions-view.ts";

const PAGE_DEFAULT = 100;
/** Most open sessions that one list considers; newer ones are preferred. */
const OPEN_MAX = 20_000;

export const sessionRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/sessions",
    summary: "SSH sessions, live and ended, newest first; a person's own unless they may read the account",
    access: "self",
    query: SessionQuery,
    answer: { listOf: Session },
    handle: (call) => listSessions(call),
  }),
  route({
    method: "get",
    path: "/api/sessions/:sessionId",
    summary: "A session with its channels, forwards, transfers and decisions",
    access: "self",
    answer: { one: SessionDetail },
    handle: (call) => showSession(call),
  }),
  route({
    method: "post",
    path: "/api/sessions/:sessionId/kill",
    summary: "Ends a live session at once; the person is shown who did, and the reason",
    access: "self",
    body: SessionKill,
    answer: { one: Session },
    also: [409],
    handle: (call) => killSession(call),
  }),
];

type ListCall = Call<undefined, SessionQuery>;

async function listSessions(call: ListCall): Promise<Listing<Session>> {
  const { query } = call;
  const limit = query.limit ?? PAGE_DEFAULT;
  const after = placeOf(query.cursor);
  return call.read(async (tx) => {
    const filter = await filterOf(tx, call);
    const isOpenOnly = query.state === "live" || query.state === "unknown";
    const { sessions, total } = isOpenOnly
      ? await openSessions(tx, call, filter)
      : await allSessions(tx, call, { filter, limit, after });
    const rest = sessions.filter((one) => isBehind(one, after)).sort(compareSessions);
    const shown = rest.slice(0, limit);
    const last = shown.at(-1);
    const isLast = last === undefined || rest.length <= limit;
    return {
      items: await renderSessions(tx, call, shown),
      total,
      next: isLast ? null : { limit: String(limit), cursor: `${last.openedAtMs}.${last.connectionId}` },
    };
  });
}

function placeOf(cursor: string | undefined): SshSessionPlace | null {
  const [openedAtMs = "", connectionId = ""] = cursor?.split(".") ?? [];
  return cursor === undefined ? null : { openedAtMs: Number(openedAtMs), connectionId };
}

function idsOf(found: readonly { readonly id: string }[]): string[] {
  return found.map(({ id }) => id);
}

/** The query, narrowed to what the caller may see. */
async function filterOf(tx: Reader, { accountId, user, query }: ListCall): Promise<SshSessionFilter> {
  const { machine, local_user: localUser, state, since, until } = query;
  const who = query.user;
  const asked =
    who === undefined ? undefined : { ids: idsOf(await listUsersNamed(tx, accountId, who)), name: who };
  // A plain user who asks for another person gets the same answer as for a person who does not exist.
  const own = { ids: asked === undefined || asked.ids.includes(user.id) ? [user.id] : [] };
  const peers = machine === undefined ? [] : idsOf(await listPeersByName(tx, accountId, machine));
  const isId = Id.safeParse(machine).success;
  return {
    user: mayCall(user.role, "read") ? asked : own,
    peers: machine === undefined ? undefined : { ids: isId ? [machine, ...peers] : peers, name: machine },
    localUser,
    sinceMs: since === undefined ? undefined : Date.parse(since),
    untilMs: until === undefined ? undefined : Date.parse(until),
    closed: state === undefined ? undefined : state === "ended",
  };
}

/** Reported sessions that match the query. */
function liveOf(
  call: Pick<Call, "ctx" | "accountId">,
  filter: SshSessionFilter,
): Map<string, LiveConnection> {
  const all = liveConnections(call.ctx.sessions(call.accountId));
  for (const [key, one] of all) if (!isAskedFor(one, filter)) all.delete(key);
  return all;
}

/** Live and unknown sessions. All are read at once, since only reports tell the two apart. */
async function openSessions(tx: Reader, call: ListCall, filter: SshSessionFilter) {
  const live = liveOf(call, filter);
  const ids = [...live.values()].map(({ connectionId }) => connectionId);
  const open = await listSshSessions(tx, call.accountId, filter, { limit: OPEN_MAX, after: null });
  const reported = await findSshSessions(tx, call.accountId, ids);
  const ended = reported.filter(({ closedAtMs }) => closedAtMs !== null);
  const sessions = joinSessions([...open, ...ended], live).filter(
    (one) => stateIn(call, tx)(one) === call.query.state,
  );
  return { sessions, total: sessions.length };
}

/** A page of stored sessions, with the reported ones that are not stored yet. */
async function allSessions(
  tx: Reader,
  call: ListCall,
  page: { readonly filter: SshSessionFilter; readonly limit: number; readonly after: SshSessionPlace | null },
) {
  const { filter, limit, after } = page;
  const rows = await listSshSessions(tx, call.accountId, filter, { limit: limit + 1, after });
  const stored = await countSshSessions(tx, call.accountId, filter);
  const live = filter.closed === true ? new Map<string, LiveConnection>() : liveOf(call, filter);
  const ids = [...live.values()].map(({ connectionId }) => connectionId);
  const known = joinSessions(await findSshSessions(tx, call.accountId, ids), live);
  const unstored = known.filter(({ row }) => row === null);
  const seen = joinSessions(rows, live).filter(({ row }) => row !== null);
  return { sessions: [...seen, ...unstored], total: stored + unstored.length };
}

function showSession(call: Call): Promise<SessionDetail> {
  return call.read(async (tx) => {
    const { one } = await findSession(tx, call);
    const { peerId, connectionId } = one;
    const of = { accountId: call.accountId, peerId, connectionId };
    const events = await listConnectionEvents(tx, of, SESSION_EVENTS_MAX + 1);
    const [session] = await renderSessions(tx, call, [one]);
    if (session === undefined) throw notFound("session");
    return {
      ...session,
      client_version: one.row?.clientVersion ?? null,
      approved_by: await approverOf(tx, call.accountId, one),
      ...happenedIn(events.slice(0, SESSION_EVENTS_MAX)),
      truncated: events.length > SESSION_EVENTS_MAX,
    };
  });
}
