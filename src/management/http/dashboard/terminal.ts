/**
 * The relay for a terminal in a page: tickets, and the WebSocket that takes one.
 *
 * A browser sends the cookie whichever page opens a WebSocket, and lets a page set no header. So the cookie
 * counts only with our exact Origin and a ticket, which only a page of ours can have requested. The ticket
 * names the session and the hello, is valid once within ten seconds, and appears in no URL. The device proves
 * everything after that, as for every client.
 *
 * @module
 */
import type { Server } from "bun";
import { QfError } from "../../../base/errors.ts";
import { SAFE_HEADERS } from "../../../base/html.ts";
import { sha256 } from "../../../base/random.ts";
import { HELLO_BYTES_MAX } from "../../../wire/hello.ts";
import { TERMINAL_PROTOCOL } from "../../../wire/terminal-page.ts";
import type { ManagementContext } from "../../contracts/context.ts";
import { findWebSession } from "../../db/tables/web-sessions.ts";
import type { RelayHub } from "../../relay/relay-hub.ts";
import { refusal } from "../../web/upgrade.ts";
import { authenticate, type Principal, recheck } from "../admin/access.ts";
import { secretOfCookie } from "../session-cookie.ts";
import { createTerminalTickets } from "./terminal-tickets.ts";

const BODY_CHARS_MAX = 2_048;
const HELLO_HASH = /^[A-Za-z0-9_-]{43}$/;

export interface TerminalDeps {
  readonly ctx: ManagementContext;
  readonly masterKey: Uint8Array;
  readonly relay: Pick<RelayHub, "dialFromPage">;
}

export interface Terminal {
  /** Answers POST TERMINAL_TICKETS_PATH. */
  ticket(request: Request): Promise<Response>;
  /** Answers TERMINAL_RELAY_PATH. Undefined: the connection is a WebSocket now. */
  connect(request: Request, server: Server<unknown>, sourceAddress: string): Promise<Response | undefined>;
}

export function createTerminal({ ctx, masterKey, relay }: TerminalDeps): Terminal {
  const tickets = createTerminalTickets({ store: ctx.store, clock: ctx.clock, masterKey });
  return {
    async ticket(request) {
      if (request.method !== "POST") return refusal(405, "a ticket is asked for by POST");
      const header = (name: string): string | undefined => request.headers.get(name) ?? undefined;
      const { user, credential } = await authenticate(ctx.store, { header, origin: ctx.origin });
      if (credential.kind !== "session") {
        throw new QfError("ERR_FORBIDDEN", "tickets are for pages of the dashboard");
      }
      const helloHash = await helloHashOf(request);
      const ticket = tickets.issue({ sessionId: credential.id, userId: user.id, helloHash });
      return Response.json({ ticket }, { headers: { ...SAFE_HEADERS } });
    },

    async connect(request, server, sourceAddress) {
      const offered = offeredBy(request.headers);
      if (request.headers.get("origin") !== ctx.origin || offered === null) {
        return refusal(403, "not from a page of the dashboard");
      }
      const secret = secretOfCookie(request.headers.get("cookie") ?? undefined);
      const found =
        secret === null ? undefined : await ctx.store.read((tx) => findWebSession(tx, { secret }));
      if (found === undefined) return refusal(401, "your session is over");
      const { user, session } = found;
      const helloHash = sha256(offered.hello);
      const isGood = await tickets.use(offered.ticket, { sessionId: session.id, userId: user.id, helloHash });
      if (!isGood) return refusal(401, "the ticket is unknown, too old or was used");
      const principal: Principal = { user, credential: { kind: "session", id: session.id } };
      const isLive = () => ctx.store.read((tx) => recheck(tx, principal, "self")).then(() => true);
      if (!(await isLive().catch(() => false))) return refusal(403, "this user may not sign in");
      const claim = { hello: offered.hello, proof: offered.proof };
      return relay.dialFromPage(request, server, sourceAddress, {
        ...{ claim, session: { sessionId: session.id, isLive }, protocol: TERMINAL_PROTOCOL },
      });
    },
  };
}

async function helloHashOf(request: Request): Promise<string> {
  const text = await request.text();
  const body = text.length > BODY_CHARS_MAX ? "" : text;
  if (!HELLO_HASH.test(body)) throw new QfError("ERR_BAD_REQUEST", "the body is not the hash of a hello");
  return body;
}

/** What the page offers as subprotocols. Null: something is missing or repeated. */
function offeredBy(headers: Headers): { ticket: string; hello: string; proof: string } | null {
  const names = (headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
  const values = (kind: string): string[] =>
    names.filter((name) => name.startsWith(`${kind}.`)).map((name) => name.slice(kind.length + 1));
  const [ticket, hello, proof] = ["ticket", "hello", "proof"].map((kind) => {
    const found = values(kind);
    return found.length === 1 ? found[0] : undefined;
  });
  if (!names.includes(TERMINAL_PROTOCOL) || names.length !== 4) return null;
  if (ticket === undefined || hello === undefined || proof === undefined) return null;
  if (hello.length > HELLO_BYTES_MAX * 2) return null;
  return { ticket, hello: Buffer.from(hello, "base64url").toString("utf8"), proof };
}
