/**
 * The listener on loopback to which a browser comes back: one path, one state, one answer.
 *
 * Anything else gets 404 and changes nothing: other programs on this machine can reach it too, and
 * must not be able to end a login.
 *
 * @module
 */
import { QfError } from "../base/errors.ts";
import { isEqualSecret } from "../base/random.ts";
import type { LoopbackHost } from "../wire/client-config.ts";

const PATH = "/callback";
const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
};

export interface CallbackAnswer {
  /** The URL the browser came back with, its `state` already compared. */
  readonly url: URL;
  /** What the waiting browser is told: that it is done, or that it failed. */
  succeed(): void;
  fail(): void;
}

export interface Callback {
  readonly redirectUri: string;
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
}

/** Listens on the loopback address of `host` and on nothing else. Throws ERR_ADDRESS_IN_USE. */
export function openCallback({ port, host = "127.0.0.1", state }: CallbackOptions): Callback {
  const arrived = Promise.withResolvers<CallbackAnswer>();
  let isTaken = false;
  const answer = (request: Request): Response | Promise<Response> => {
    const url = new URL(request.url);
    const given = url.searchParams.get("state") ?? "";
    if (request.method !== "GET" || url.pathname !== PATH || isTaken || !isEqualSecret(given, state)) {
      return new Response("not found\n", { status: 404, headers: { "cache-control": "no-store" } });
    }
    isTaken = true;
    const page = Promise.withResolvers<Response>();
    arrived.resolve({
      url,
      succeed: () => page.resolve(new Response(DONE_PAGE, { headers: HEADERS })),
      fail: () => page.resolve(new Response(FAILED_PAGE, { status: 400, headers: HEADERS })),
    });
    return page.promise;
  };
  const servers = listen(host, port, answer);
  return {
    redirectUri: `http://${host}:${servers[0]?.port}${PATH}`,
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

type Answer = (request: Request) => Response | Promise<Response>;

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

function page(title: string, text: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:28rem;padding:0 1rem;color:#1a1a1a;
background:#fff}@media (prefers-color-scheme:dark){body{color:#eee;background:#181818}}</style></head>
<body><main><h1>${title}</h1><p>${text}</p></main></body></html>
`;
}

const DONE_PAGE = page("Signed in", "You can close this page and go back to the terminal.");
const FAILED_PAGE = page("Not signed in", "The terminal says why. You can close this page.");
