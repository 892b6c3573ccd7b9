/**
 * `/api/sessions/{id}/watch`: a WebSocket that follows a recorded session while it runs.
 *
 * A program proves itself with its API token. A page of ours needs its session and a ticket, since a browser
 * sends the cookie whichever page opens the WebSocket. The watching is recorded as an event before anything
 * is sent. The right to watch is checked again for each message and twice a second, so that it ends with the
 * role, session or recording. The watcher asks for each next page with a message, whose content is ignored.
 *
 * @module
 */
import type { Server, ServerWebSocket, WebSocketHandler } from "bun";
import { QfError } from "../../../base/errors.ts";
import { SAFE_HEADERS } from "../../../base/html.ts";
import { sha256 } from "../../../base/random.ts";
import type { RecordingPage } from "../../../wire/recording.ts";
import {
  WATCH_AWAY,
  WATCH_FORBIDDEN,
  WATCH_OVER,
  WATCH_PATH,
  WATCH_PROTOCOL,
} from "../../../wire/session-watch.ts";
import type { ManagementContext } from "../../contracts/context.ts";
import { createKeyedCounter } from "../../contracts/keyed-counter.ts";
import type { Recordings } from "../../contracts/recordings.ts";
import { findRecording, type RecordingRow } from "../../db/tables/recordings.ts";
import { findWebSession } from "../../db/tables/web-sessions.ts";
import { refusal, refusalOfUpgrade } from "../../web/upgrade.ts";
import { authenticate, type Principal, recheck } from "../admin/access.ts";
import { findRunningRecording, maySeeRecording, recordingFacts } from "../admin/recording-access.ts";
import { secretOfCookie } from "../session-cookie.ts";
import { createTerminalTickets } from "./terminal-tickets.ts";

/** How often the right to watch is checked while nothing is sent. */
const LOOK_MS = 500;
/** How often a watcher is pinged, so that the socket of a silent session stays open. */
const PING_LOOKS = 10;
const WATCHERS_MAX = 256;
const WATCHERS_OF_USER_MAX = 16;

/** Data attached to a watcher's socket. */
export interface WatchSocketData {
  readonly kind: "watch";
  readonly principal: Principal;
  readonly recordingId: string;
  readonly ended: AbortController;
  /** Called when the watcher asks for the next page. */
  more: () => void;
  looking: ReturnType<typeof setInterval> | undefined;
}
type Socket = ServerWebSocket<WatchSocketData>;

export interface SessionWatch {
  /**
   * Answers a request for `WATCH_PATH`. Undefined: the connection is a WebSocket now. Throws as the API does.
   */
  answer(request: Request, server: Server<unknown>): Promise<Response | undefined>;
  readonly websocket: WebSocketHandler<WatchSocketData>;
  /** Closes every watcher's socket. */
  close(): void;
}

export interface SessionWatchDeps {
  readonly ctx: Pick<ManagementContext, "store" | "clock" | "log" | "origin">;
  readonly recordings: Pick<Recordings, "follow">;
  readonly masterKey: Uint8Array;
}

export function createSessionWatch(deps: SessionWatchDeps): SessionWatch {
  return new Watchers(deps);
}

class Watchers implements SessionWatch {
  readonly #deps: SessionWatchDeps;
  readonly #tickets: ReturnType<typeof createTerminalTickets>;
  readonly #sockets = new Set<Socket>();
  /** Places of each person's watchers, including those about to start. */
  readonly #places = createKeyedCounter(WATCHERS_MAX, WATCHERS_OF_USER_MAX);
  readonly websocket: WebSocketHandler<WatchSocketData> = {
    open: (socket) => void this.#run(socket),
    message: (socket) => socket.data.more(),
    close: (socket) => this.#forget(socket),
  };

  constructor(deps: SessionWatchDeps) {
    const { store, clock } = deps.ctx;
    this.#deps = deps;
    this.#tickets = createTerminalTickets({ store, clock, masterKey: deps.masterKey, purpose: "watch" });
  }

  async answer(request: Request, server: Server<unknown>): Promise<Response | undefined> {
    const { store, origin } = this.#deps.ctx;
    const id = WATCH_PATH.exec(new URL(request.url).pathname)?.[1] ?? "";
    if (request.method === "POST") return this.#ticket(request, id);
    const refused = refusalOfUpgrade(request, { clients: "watchers", ownOrigin: origin });
    if (refused !== null) return refused;
    const principal = await this.#prove(request, id);
    const row = await store.read((tx) => findRunningRecording(tx, principal.user, id));
    const userId = principal.user.id;
    if (this.#places.isFull(userId)) {
      throw new QfError("ERR_TOO_MANY", "too many sessions are watched", { hint: "stop watching some" });
    }
    this.#places.enter(userId);
    let isOpen = false;
    try {
      await this.#note(principal, row);
      isOpen = this.#upgrade(request, server, { principal, row });
    } finally {
      if (!isOpen) this.#places.leave(userId);
    }
    return isOpen ? undefined : refusal(400, "not a WebSocket request");
  }

  #upgrade(
    request: Request,
    server: Server<unknown>,
    { principal, row }: { readonly principal: Principal; readonly row: RecordingRow },
  ): boolean {
    const headers = request.headers.has("origin") ? { "sec-websocket-protocol": WATCH_PROTOCOL } : {};
    const ended = new AbortController();
    const data: WatchSocketData = {
      ...{ kind: "watch", principal, recordingId: row.id, ended },
      ...{ more: () => {}, looking: undefined },
    };
    return server.upgrade(request, { data, headers } as object as { data: undefined });
  }

  close(): void {
    for (const socket of this.#sockets) socket.close(WATCH_AWAY, "management stops");
  }

  async #ticket(request: Request, id: string): Promise<Response> {
    const { store, origin } = this.#deps.ctx;
    const header = (name: string): string | undefined => request.headers.get(name) ?? undefined;
    const { user, credential } = await authenticate(store, { header, origin });
    if (credential.kind !== "session") {
      throw new QfError("ERR_FORBIDDEN", "tickets are for pages of the dashboard");
    }
    await store.read((tx) => findRunningRecording(tx, user, id));
    const use = { sessionId: credential.id, userId: user.id, helloHash: sha256(id) };
    return Response.json({ ticket: this.#tickets.issue(use) }, { headers: { ...SAFE_HEADERS } });
  }

  /** Throws ERR_UNAUTHENTICATED, or ERR_FORBIDDEN for a blocked user. */
  async #prove(request: Request, id: string): Promise<Principal> {
    const { store, origin } = this.#deps.ctx;
    if (!request.headers.has("origin")) {
      const authorization = request.headers.get("authorization") ?? "";
      const header = (name: string) => (name === "authorization" ? authorization : undefined);
      return authenticate(store, { header, origin });
    }
    const secret = secretOfCookie(request.headers.get("cookie") ?? undefined);
    const found = secret === null ? undefined : await store.read((tx) => findWebSession(tx, { secret }));
    if (found === undefined) throw new QfError("ERR_UNAUTHENTICATED", "your session is over");
    const { user, session } = found;
    const use = { sessionId: session.id, userId: user.id, helloHash: sha256(id) };
    const ticket = ticketOf(request.headers);
    if (ticket === null || !(await this.#tickets.use(ticket, use))) {
      throw new QfError("ERR_UNAUTHENTICATED", "the ticket is unknown, too old or was used");
    }
    const principal: Principal = { user, credential: { kind: "session", id: session.id } };
    await store.read((tx) => recheck(tx, principal, "self"));
    return principal;
  }

  async #note(principal: Principal, row: RecordingRow): Promise<void> {
    const { id, name, email, accountId } = principal.user;
    const meta = { ...recordingFacts(row), live: "true" };
    const events = [{ activity: "recording.read" as const, targetId: row.peerId, meta }];
    await this.#deps.ctx.store.change({ accountId, initiator: { id, name, email }, events }, async (tx) => {
      await recheck(tx, principal, "self");
    });
  }

  async #run(socket: Socket): Promise<void> {
    const { recordingId, ended } = socket.data;
    this.#sockets.add(socket);
    let looks = 0;
    let isLooking = false;
    socket.data.looking = setInterval(() => {
      looks += 1;
      if (looks % PING_LOOKS === 0) socket.ping();
      if (isLooking) return;
      isLooking = true;
      void this.#look(socket).finally(() => {
        isLooking = false;
      });
    }, LOOK_MS);
    try {
      for await (const page of this.#deps.recordings.follow(recordingId, 0, ended.signal)) {
        if (!(await this.#look(socket)) || !(await this.#show(socket, page))) return;
      }
      socket.close(WATCH_OVER, "its recording is over");
    } catch (cause) {
      this.#deps.ctx.log.warn("a recording cannot be followed", { recordingId }, cause);
      socket.close(WATCH_AWAY, "the recording cannot be read now");
    }
  }

  /** False: watching has ended, and the socket is closed. */
  async #look(socket: Socket): Promise<boolean> {
    const { principal, recordingId, ended } = socket.data;
    const may = await this.#deps.ctx.store
      .read(async (tx) => {
        const user = await recheck(tx, principal, "self");
        const row = await findRecording(tx, recordingId);
        return row !== undefined && maySeeRecording(user, row);
      })
      .catch(() => false);
    if (!may && !ended.signal.aborted) socket.close(WATCH_FORBIDDEN, "you may not watch this any more");
    return may && !ended.signal.aborted;
  }

  /** Resolves once the watcher asks for the next page. False: watching has ended. */
  async #show(socket: Socket, page: RecordingPage): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { data } = socket;
    data.more = resolve;
    data.ended.signal.addEventListener("abort", () => resolve(), { once: true });
    socket.send(JSON.stringify(page));
    await promise;
    return !data.ended.signal.aborted;
  }

  #forget(socket: Socket): void {
    clearInterval(socket.data.looking);
    this.#sockets.delete(socket);
    this.#places.leave(socket.data.principal.user.id);
    socket.data.ended.abort();
  }
}

/** The ticket that a page offers as a subprotocol. Null: no ticket, two, or another protocol. */
function ticketOf(headers: Headers): string | null {
  const names = (headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
  const tickets = names.filter((name) => name.startsWith("ticket."));
  if (!names.includes(WATCH_PROTOCOL) || names.length !== 2 || tickets.length !== 1) return null;
  return tickets[0]?.slice("ticket.".length) ?? null;
}
