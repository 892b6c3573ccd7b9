/**
 * The loopback listener where a browser starts a sign-in and returns from it.
 *
 * The browser opens a page here, which sets a cookie and redirects it to the provider. Other users of this
 * machine can see that page's URL in the process list, so it contains no secret. They can also reach the
 * listener. It therefore answers only processes of its own user, where the system can tell, gives its cookie
 * to one browser, and accepts a result or an error only from that browser.
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
/** The five minutes a person has, plus a margin. */
const COOKIE_SECONDS = 330;
const HEADERS = { ...pageHeaders(), "referrer-policy": "no-referrer" };

export interface CallbackAnswer {
  /** The URL the browser came back with, its `state` already compared. */
  readonly url: URL;
  /** Tell the waiting browser that the sign-in succeeded or failed. */
  succeed(): void;
  fail(): void;
}

export interface Callback {
  readonly redirectUri: string;
  /** The page to open. It redirects to `authorizationUrl`, once. */
  begin(authorizationUrl: string): string;
  /** Rejects with the reason of `signal`'s abort. */
  wait(signal: AbortSignal): Promise<CallbackAnswer>;
  /** Stops listening once the last page has been sent. */
  close(): void;
}

export interface CallbackOptions {
  /** 0 is any. */
  readonly port: number;
  /** Host of the registered redirect URI. Default 127.0.0.1. */
  readonly host?: LoopbackHost | undefined;
  readonly state: string;
  /** Uid of a process on this machine. Null: unknown. Tests replace it. */
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
    /** Keeps other sites from guessing it. Not a secret from other users of this machine. */
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

/** Root can do anything here anyway. If the system cannot tell, the cookie decides. */
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

/** Browsers share cookies between ports, and several sign-ins may wait at once. */
function cookieName({ port }: URL): string {
  return `qf_sign_in_${port}`;
}

type Answer = (request: Request, server: Bun.Server<undefined>) => Response | Promise<Response>;

/** How a browser resolves `localhost` depends on the machine, so listen on both addresses. */
function listen(host: LoopbackHost, port: number, answer: Answer): Bun.Server<undefined>[] {
  const first = listenAt(host === "[::1]" ? "::1" : "127.0.0.1", port, answer);
  if (host !== "localhost" || first.port === undefined) return [first];
  try {
    return [first, listenAt("::1", first.port, answer)];
  } catch {
    // Without IPv6, or with the port taken there, browsers use 127.0.0.1.
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
