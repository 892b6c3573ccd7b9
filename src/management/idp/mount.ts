/**
 * Bridge from our HTTP server to oidc-provider, which needs Node's: `/idp/*` is forwarded to a node:http
 * server on a unix socket in a folder of mode 0700.
 *
 * Only those parts of a request that the provider needs are forwarded. We write the source address and the
 * origin ourselves and never take them from forwarded headers.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Provider } from "oidc-provider";
import { QfError } from "../../base/errors.ts";

/** Internal header with the source address. Removed from outside requests. */
export const SOURCE_HEADER = "x-qufabric-source";
const PREFIX = "/idp";
const SOCKET_NAME = "idp.sock";
/** sockaddr_un holds 108 bytes on Linux, 104 on macOS. */
const SOCKET_PATH_BYTES_MAX = 100;
const FORWARD_TIMEOUT_MS = 30_000;
const BODY_BYTES_MAX = 64 * 1024;
const REQUEST_HEADERS = ["accept", "authorization", "content-type", "cookie", "origin", "user-agent"];
/** Headers about the hop, or about an encoding that fetch has undone. */
const DROPPED_RESPONSE_HEADERS = [
  "connection",
  "keep-alive",
  "transfer-encoding",
  "content-length",
  "content-encoding",
];

/** Added to every response; `base/html.ts` has what pages need beyond that. */
const ADDED_RESPONSE_HEADERS = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
};

export interface ProviderMount {
  /** Answers a request whose path begins with /idp. */
  forward(request: Request, sourceAddress: string): Promise<Response>;
  close(): Promise<void>;
}

/**
 * Starts the inner server on a socket in `folder`, which only this process uses (0700), or in a temporary
 * folder if the path is too long for a socket.
 */
export async function openProviderMount(
  provider: Provider,
  origin: string,
  folder: string,
): Promise<ProviderMount> {
  const isShort = Buffer.byteLength(folder) + SOCKET_NAME.length < SOCKET_PATH_BYTES_MAX;
  const place = isShort ? folder : await mkdtemp(join(tmpdir(), "qf-idp-")); // mkdtemp makes it 0700.
  const socket = join(place, SOCKET_NAME);
  // A killed process may have left it; the folder's lock guarantees that no other one is running.
  await rm(socket, { force: true });
  const handle = provider.callback();
  const server = createServer((req: IncomingMessage & { originalUrl?: string }, res) => {
    // The provider derives its mount path from the difference between the two.
    req.originalUrl = req.url ?? "/";
    req.url = req.originalUrl.slice(PREFIX.length) || "/";
    void handle(req, res);
  });
  server.requestTimeout = FORWARD_TIMEOUT_MS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socket, resolve);
  });
  const { host, protocol } = new URL(origin);
  const forwarded = { "x-forwarded-host": host, "x-forwarded-proto": protocol.slice(0, -1) };
  return {
    async forward(request, sourceAddress) {
      const { pathname, search } = new URL(request.url);
      if (pathname !== PREFIX && !pathname.startsWith(`${PREFIX}/`)) {
        throw new QfError("ERR_NOT_FOUND", "no such page");
      }
      const headers = new Headers({ ...forwarded, host, [SOURCE_HEADER]: sourceAddress });
      for (const name of REQUEST_HEADERS) {
        const value = request.headers.get(name);
        if (value !== null) headers.set(name, value);
      }
      const body = request.body === null ? null : await boundedBody(request);
      const response = await fetch(`http://idp${pathname}${search}`, {
        unix: socket,
        method: request.method,
        headers,
        body,
        redirect: "manual",
        // The inner server closes idle connections after seconds. A POST sent at that moment would be lost,
        // since fetch does not repeat it.
        keepalive: false,
        signal: AbortSignal.timeout(FORWARD_TIMEOUT_MS),
      });
      const out = new Headers(response.headers);
      for (const name of DROPPED_RESPONSE_HEADERS) out.delete(name);
      for (const [name, value] of Object.entries(ADDED_RESPONSE_HEADERS)) out.set(name, value);
      return new Response(response.body, { status: response.status, headers: out });
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(isShort ? socket : place, { recursive: true, force: true });
    },
  };
}

async function boundedBody(request: Request): Promise<ArrayBuffer> {
  const body = await request.arrayBuffer();
  if (body.byteLength > BODY_BYTES_MAX) throw new QfError("ERR_TOO_LARGE", "the request is too large");
  return body;
}
