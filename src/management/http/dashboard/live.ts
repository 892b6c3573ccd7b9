/**
 * `/api/live`: server-sent events that tell pages which kinds of things changed, never their content.
 *
 * The page then asks the API again, so nothing is revealed here that the API would not reveal. A plain user
 * hears only of their own things. The session is checked again at each message, and its end is announced
 * beforehand. A comment line goes out every few seconds, since proxies cut silent streams.
 *
 * @module
 */
import { nowSeconds } from "../../../base/clock.ts";
import { QfError } from "../../../base/errors.ts";
import { SAFE_HEADERS } from "../../../base/html.ts";
import type { ActivityCode } from "../../../wire/audit-event.ts";
import type { AccountId, UserId } from "../../../wire/units.ts";
import type { ManagementContext } from "../../contracts/context.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import { countEvents, listEvents } from "../../db/tables/audit-events.ts";
import { findWebSession, type WebSessionEnding, webSessionEnding } from "../../db/tables/web-sessions.ts";
import type { PresenceListener } from "../../sync/sync-hub.ts";
import { authenticate, mayCall, type Principal, recheck } from "../admin/access.ts";

const BEAT_MS = 4_000;
/** Changes within this time are announced together. */
const GATHER_MS = 100;
const STREAMS_MAX = 1_024;
const STREAMS_OF_USER_MAX = 24;
/** Most events read for one announcement. */
const EVENTS_MAX = 200;

/** Kinds are named as in `/api/KIND`. `my` is what the caller may reach. */
const KINDS_OF: readonly (readonly [prefix: string, kinds: readonly string[]])[] = [
  ["user.group", ["users", "groups", "policy"]],
  ["user", ["users"]],
  ["service.user", ["users"]],
  ["personal.access", ["users"]],
  ["setupkey", ["setup-keys"]],
  ["group", ["groups", "policy"]],
  ["peer.setupkey", ["peers", "groups", "setup-keys"]],
  ["peer.upgrade", ["peers", "rollouts"]],
  ["peer", ["peers", "groups"]],
  ["rollout", ["rollouts"]],
  ["policy", ["policies", "groups", "policy"]],
  ["posture", ["posture-checks"]],
  ["account", ["accounts"]],
  ["dashboard", ["web-sessions"]],
  ["access", ["access", "users", "policy"]],
  ["ssh.recording", ["recordings"]],
  ["ssh", ["sessions"]],
  ["audit.stream", ["audit-streams"]],
  ["notification", ["notifications"]],
];
/** Kinds that a plain user hears of, beside `sessions` and `recordings` when their own changed. */
const OWN_KINDS: ReadonlySet<string> = new Set(["my", "users", "web-sessions", "access"]);

/** What changed in an account: the kinds of things, and the people whose SSH sessions changed. */
interface News {
  readonly kinds: Set<string>;
  readonly people: Set<UserId>;
}

export interface LiveDeps {
  readonly ctx: ManagementContext;
  readonly onPresence: (listener: PresenceListener) => () => void;
}

export interface Live {
  answer(request: Request): Promise<Response>;
}

interface Stream {
  readonly principal: Principal;
  readonly pending: Set<string>;
  flush(): void;
}

export function createLive(deps: LiveDeps): Live {
  const { ctx } = deps;
  const streams = new Set<Stream>();
  const feed = createFeed(deps, (accountId, { kinds, people }) => {
    for (const stream of streams) {
      const { user } = stream.principal;
      if (user.accountId !== accountId) continue;
      const seesAll = mayCall(user.role, "read");
      for (const kind of kinds) if (seesAll || OWN_KINDS.has(kind)) stream.pending.add(kind);
      if (people.has(user.id)) for (const kind of ["sessions", "recordings"]) stream.pending.add(kind);
      stream.flush();
    }
  });
  return {
    async answer(request) {
      const header = (name: string): string | undefined => request.headers.get(name) ?? undefined;
      const principal = await authenticate(ctx.store, { header, origin: ctx.origin });
      const ofUser = [...streams].filter(({ principal: other }) => other.user.id === principal.user.id);
      if (streams.size >= STREAMS_MAX || ofUser.length >= STREAMS_OF_USER_MAX) {
        throw new QfError("ERR_TOO_MANY", "too many pages are open", { hint: "close some" });
      }
      await feed.begin(principal.user.accountId);
      return openStream(ctx, { principal, streams, signal: request.signal });
    },
  };
}

function openStream(
  ctx: ManagementContext,
  { principal, streams, signal }: { principal: Principal; streams: Set<Stream>; signal: AbortSignal },
): Response {
  const encoder = new TextEncoder();
  const pending = new Set<string>();
  let close = (): void => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      let isSending = false;
      const send = async (text: (ending: WebSessionEnding | null) => string): Promise<void> => {
        // A slow reader gets the news later, in one piece.
        if (isSending || (controller.desiredSize ?? 0) <= 0) return;
        isSending = true;
        try {
          const ending = await ctx.store.read(async (tx) => {
            await recheck(tx, principal, "self");
            return endingOf(tx, principal);
          });
          controller.enqueue(encoder.encode(text(ending)));
        } catch {
          close();
        } finally {
          isSending = false;
        }
        // News that arrived meanwhile.
        if (pending.size > 0 && streams.has(stream)) stream.flush();
      };
      let wasEnding = false;
      const news = (ending: WebSessionEnding | null): string => {
        const kinds = [...pending];
        pending.clear();
        // A postponed end, as by activity in another tab, is announced once.
        const tells = ending !== null || wasEnding;
        wasEnding = ending !== null;
        if (kinds.length === 0 && !tells) return ": still here\n\n";
        return `data: ${JSON.stringify({ kinds, ...(tells ? { ending } : {}) })}\n\n`;
      };
      const stream: Stream = { principal, pending, flush: () => void send(news) };
      const beat = setInterval(() => stream.flush(), BEAT_MS);
      close = () => {
        clearInterval(beat);
        streams.delete(stream);
        try {
          controller.close();
        } catch {
          // The reader is gone already.
        }
      };
      streams.add(stream);
      signal.addEventListener("abort", () => close(), { once: true });
      stream.flush();
    },
    cancel: () => close(),
  });
  return new Response(body, {
    headers: { ...SAFE_HEADERS, "content-type": "text/event-stream", "x-accel-buffering": "no" },
  });
}

/** Only sessions get an announcement; a token's owner knows when it ends. */
async function endingOf(tx: Reader, { credential }: Principal): Promise<WebSessionEnding | null> {
  if (credential.kind !== "session") return null;
  const found = await findWebSession(tx, { id: credential.id });
  return found === undefined ? null : webSessionEnding(found.session, nowSeconds(tx.clock));
}

/** Collects what changed in an account and announces it once. */
function createFeed({ ctx, onPresence }: LiveDeps, tell: (accountId: AccountId, news: News) => void) {
  const { store } = ctx;
  const lastSeq = new Map<AccountId, number>();
  const gathered = new Map<AccountId, News>();
  const note = (accountId: AccountId, kinds: readonly string[], people: readonly UserId[] = []): void => {
    if (!lastSeq.has(accountId)) return;
    const waiting = gathered.get(accountId);
    for (const kind of kinds) waiting?.kinds.add(kind);
    for (const id of people) waiting?.people.add(id);
    if (waiting !== undefined) return;
    gathered.set(accountId, { kinds: new Set(kinds), people: new Set(people) });
    setTimeout(() => void say(accountId), GATHER_MS).unref();
  };
  const say = async (accountId: AccountId): Promise<void> => {
    const news = gathered.get(accountId) ?? { kinds: new Set<string>(), people: new Set<UserId>() };
    gathered.delete(accountId);
    try {
      if (news.kinds.has("events")) await addSince(accountId, news);
    } catch (cause) {
      ctx.log.warn("news for pages not read", {}, cause);
    }
    tell(accountId, news);
  };
  const addSince = async (accountId: AccountId, { kinds, people }: News): Promise<void> => {
    while (true) {
      const afterSeq = lastSeq.get(accountId) ?? 0;
      const rows = await store.read((tx) => listEvents(tx, accountId, { limit: EVENTS_MAX, afterSeq }));
      lastSeq.set(accountId, rows.at(-1)?.seq ?? afterSeq);
      for (const row of rows) {
        for (const kind of kindsOfActivity(row.activity)) kinds.add(kind);
        if (row.activity.startsWith("ssh.")) people.add(row.initiatorId);
      }
      if (rows.length < EVENTS_MAX) return;
    }
  };
  store.onAudit((accountId) => note(accountId, ["events"]));
  store.onChange((accountId) => note(accountId, ["my"]));
  onPresence((accountId, people) => note(accountId, ["peers", "sessions", "my"], people));
  return {
    /** Starts following `accountId`. */
    async begin(accountId: AccountId): Promise<void> {
      if (lastSeq.has(accountId)) return;
      const { first, total } = await store.read((tx) => countEvents(tx, accountId));
      lastSeq.set(accountId, first + total - 1);
    },
  };
}

/** The kinds of things that an event is about. */
export function kindsOfActivity(activity: ActivityCode): readonly string[] {
  return KINDS_OF.find(([prefix]) => `${activity}.`.startsWith(`${prefix}.`))?.[1] ?? [];
}
