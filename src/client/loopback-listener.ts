/**
 * The listener on loopback where a browser begins a sign-in and comes back from it.
 *
 * The browser is started with the URL of a page here, which gives it a cookie and sends it on to the
 * provider. Nothing secret is in that URL, which other users of this machine can see in the list of
 * processes. They can reach the listener too: it answers processes of its own user only, where the system
 * says whose they are, gives its cookie to one browser, and takes an answer or an error only from that one.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { QfError } from "../base/errors.ts";
import { messagePage, pageHeaders } from "../base/html.ts";
import { isEqualSecret } from "../base/random.ts";
import type { LoopbackHost } from "../wire/client-config.ts";
import { uidOfLoopbackPeer } from "./loopback-peer.ts";

const CALLBACK_PATH = "/callback";
/** The five minutes a person has, and some. */
const COOKIE_SECONDS = 330;
const HEADERS = { ...pageHeaders(), "referrer-policy": "no-referrer" };

export interface CallbackAnswer {
  /** The URL the browser came back with, its `state` already compared. */
  readonly url: URL;
  /** What the waiting browser is told: that it is done, or that it failed. */
  succeed(): void;
  fail(): void;
}

export interface Callback {
  readonly redirectUri: string;
  /** The page to open: it leads to `authorizationUrl`, once. */
  begin(authorizationUrl: string): string;
  /** Rejects with what `signal` was aborted with. */
  wait(signal: AbortSignal): Promise<CallbackAnswer>;
  /** Stops listening once the last page is handed over. */
  close(): void;
}

export interface CallbackOptions {
  /** 0 is any. */
  readonly port: number;
  /** Host of the redirect URI, as it is registered. Default 127.0.0.1. */
  readonly host?: LoopbackHost | undefined;
  readonly state: string;
  /** User of a process on this machine; null: not known. Tests replace it. */
  readonly uidOf?: (fromPort: number, toPort: number) => number | null;
}

/** Listens on the loopback address of `host` and on nothing else. Throws ERR_ADDRESS_IN_USE. */
export function openCallback(options: CallbackOptions): Callback {
  const { port, host = "127.0.0.1" } = options;
  const arrived = Promise.withResolvers<CallbackAnswer>();
  const visit = createVisit(options, (url) => {
    const page = Promise.withResolvers<Response>();
    arrived.resolve({
      url,
      succeed: () => page.resolve(new Response(DONE_PAGE, { headers: HEADERS })),
      fail: () => page.resolve(new Response(FAILED_PAGE, { status: 400, headers: HEADERS })),
    });
    return page.promise;
  });
  const servers = listen(host, port, visit.answer);
  const origin = `http://${host}:${servers[0]?.port}`;
  visit.host = new URL(origin).host;
  return {
    redirectUri: origin + CALLBACK_PATH,
    begin(authorizationUrl) {
      visit.authorizationUrl = authorizationUrl;
      return origin + visit.beginPath;
    },
    wait(signal) {
      signal.throwIfAborted();
      const aborted = Promise.withResolvers<never>();
      const onAbort = () => aborted.reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      return Promise.race([arrived.promise, aborted.promise]).finally(() => {
        signal.removeEventListener("abort", onAbort);
      });
    },
    close() {
      for (const server of servers) void server.stop();
    },
  };
}

/** Pages of one sign-in. `onAnswer` is called once, with what the provider sends back. */
function createVisit(
  { state, uidOf = uidOfLoopbackPeer }: CallbackOptions,
  onAnswer: (url: URL) => Promise<Response>,
) {
  const secret = randomBytes(32).toString("base64url");
  let isBegun = false;
  let isTaken = false;
  const visit = {
    /** Of no use to other sites, which cannot guess it, and no secret from other users here. */
    beginPath: `/sign-in/${randomBytes(16).toString("base64url")}`,
    authorizationUrl: "",
    /** Host and port under which browsers know us. */
    host: "",
    answer(request: Request, server: Bun.Server<undefined>): Response | Promise<Response> {
      const url = new URL(request.url);
      const isOurs = request.method === "GET" && url.host === visit.host && isOwnUser(request, server, uidOf);
      if (isOurs && url.pathname === visit.beginPath) return begin(request, url);
      const given = url.searchParams.get("state") ?? "";
      const isAnswer = isOurs && url.pathname === CALLBACK_PATH && isEqualSecret(given, state);
      if (!isAnswer || isTaken || !hasCookie(request, url, secret)) return notFound();
      isTaken = true;
      return onAnswer(url);
    },
  };
  function begin(request: Request, url: URL): Response {
    if (isBegun && !hasCookie(request, url, secret)) {
      return new Response(ELSEWHERE_PAGE, { status: 410, headers: HEADERS });
    }
    isBegun = true;
    const cookie = `${cookieName(url)}=${secret}; Path=/; Max-Age=${COOKIE_SECONDS}; HttpOnly; SameSite=Lax`;
    const headers = { ...HEADERS, location: visit.authorizationUrl, "set-cookie": cookie };
    return new Response(null, { status: 303, headers });
  }
  return visit;
}

function notFound(): Response {
  return new Response("not found\n", { status: 404, headers: { "cache-control": "no-store" } });
}

/** Root may do as it likes here anyway. What the system does not say is left to the cookie. */
function isOwnUser(
  request: Request,
  server: Bun.Server<undefined>,
  uidOf: (fromPort: number, toPort: number) => number | null,
): boolean {
  const from = server.requestIP(request);
  const uid = from === null ? null : uidOf(from.port, server.port ?? 0);
  return uid === null || uid === 0 || uid === process.getuid?.();
}

function hasCookie(request: Request, url: URL, secret: string): boolean {
  const wanted = `${cookieName(url)}=`;
  const pairs = (request.headers.get("cookie") ?? "").split("; ");
  return pairs.some((pair) => pair.startsWith(wanted) && isEqualSecret(pair.slice(wanted.length), secret));
}

/** Browsers do not tell ports apart, and several sign-ins may wait at once. */
function cookieName({ port }: URL): string {
  return `qf_sign_in_${port}`;
}

type Answer = (request: Request, server: Bun.Server<undefined>) => Response | Promise<Response>;

/** What a browser may make of `localhost` depends on the machine, so both addresses are listened on. */
function listen(host: LoopbackHost, port: number, answer: Answer): Bun.Server<undefined>[] {
  const first = listenAt(host === "[::1]" ? "::1" : "127.0.0.1", port, answer);
  if (host !== "localhost" || first.port === undefined) return [first];
  try {
    return [first, listenAt("::1", first.port, answer)];
  } catch {
    // Without IPv6, or with that port taken there, browsers come to 127.0.0.1.
    return [first];
  }
}

function listenAt(hostname: string, port: number, answer: Answer): Bun.Server<undefined> {
  try {
    return Bun.serve({ hostname, port, idleTimeout: 60, fetch: answer });
  } catch (cause) {
    throw new QfError("ERR_ADDRESS_IN_USE", `the port ${port} for coming back from the browser is in use`, {
      hint: "another login may be waiting; finish it, or use --no-browser",
      cause,
    });
  }
}

const DONE_PAGE = messagePage("Signed in", "You can close this page and go back to the terminal.");
const FAILED_PAGE = messagePage("Not signed in", "The terminal says why. You can close this page.");
const ELSEWHERE_PAGE = messagePage(
  "Opened elsewhere",
  "This sign-in was begun in another browser or by another program.",
  "Go back to the terminal and start again.",
);
