/**
 * The listener on 127.0.0.1 to which a browser comes back: one path, one state, one answer.
 *
 * Anything else gets 404 and changes nothing: other programs on this machine can reach it too, and
 * must not be able to end a login.
 *
 * @module
 */
import { QfError } from "../base/errors.ts";
import { isEqualSecret } from "../base/random.ts";

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

/** Listens on 127.0.0.1:`port`; 0 is any. Throws ERR_ADDRESS_IN_USE. */
export function openCallback(port: number, state: string): Callback {
  const arrived = Promise.withResolvers<CallbackAnswer>();
  let isTaken = false;
  const server = listen(port, (request) => {
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
  });
  return {
    redirectUri: `http://127.0.0.1:${server.port}${PATH}`,
    wait(signal) {
      signal.throwIfAborted();
      const aborted = Promise.withResolvers<never>();
      const onAbort = () => aborted.reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      return Promise.race([arrived.promise, aborted.promise]).finally(() => {
        signal.removeEventListener("abort", onAbort);
      });
    },
    close: () => void server.stop(),
  };
}

function listen(port: number, handle: (request: Request) => Response | Promise<Response>) {
  try {
    return Bun.serve({ hostname: "127.0.0.1", port, idleTimeout: 60, fetch: handle });
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
