/**
 * Tests whether a server is up while its answer is late. A slow server is waited for; one that accepts no
 * connection is not.
 *
 * @module
 */
import { connect } from "node:net";

/** An answer later than this triggers the test. */
const LATE_MS = 2_000;
/** Time limit for connecting. */
const CONNECT_MS = 3_000;
const PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] as const;

export interface Presence {
  /** Aborts with a TimeoutError when the server is not there. */
  readonly signal: AbortSignal;
  /** Call when the answer has arrived or is no longer awaited. */
  end(): void;
}

export interface PresenceOptions {
  /** Milliseconds. Default 2000. */
  readonly lateMs?: number | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Watches one request to `origin` that begins now. */
export function watchPresence(origin: string, options: PresenceOptions = {}): Presence {
  const gone = new AbortController();
  let stop = () => {};
  // With a proxy, a direct connection proves nothing.
  if (!hasProxy(options.environment ?? process.env)) {
    const timer = setTimeout(() => {
      stop = look(origin, () => gone.abort(new DOMException("nobody is there", "TimeoutError")));
    }, options.lateMs ?? LATE_MS);
    stop = () => clearTimeout(timer);
  }
  return { signal: gone.signal, end: () => stop() };
}

/** Tries to connect and calls `onNobody` on failure. Returns a function that stops it. */
function look(origin: string, onNobody: () => void): () => void {
  const { protocol, hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[|\]$/g, "");
  const socket = connect({ host, port: Number(port) || (protocol === "https:" ? 443 : 80) });
  const timer = setTimeout(() => {
    socket.destroy();
    onNobody();
  }, CONNECT_MS);
  const stop = () => {
    clearTimeout(timer);
    socket.destroy();
  };
  socket.on("connect", stop);
  socket.on("error", () => {
    stop();
    onNobody();
  });
  return stop;
}

function hasProxy(environment: Readonly<Record<string, string | undefined>>): boolean {
  return PROXY_VARIABLES.some((name) => environment[name] || environment[name.toLowerCase()]);
}
