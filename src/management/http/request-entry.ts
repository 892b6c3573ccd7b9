/**
 * Entry point of every request: checks that it is addressed to us, finds its source address, and passes it to
 * a route.
 *
 * @module
 */

import { isIP } from "node:net";
import type { Server } from "bun";
import { FAILURES, type FailureCode, isQfError } from "../../base/errors.ts";
import { SAFE_HEADERS } from "../../base/html.ts";
import { canonicalAddress } from "../../base/ip-address.ts";
import type { Log } from "../../base/log.ts";
import type { ApiFailure } from "../../wire/client-api.ts";
import { nothingHerePage, rootPage, wantsPage } from "./root-page.ts";

export interface RequestEntry {
  /** Undefined: the connection is a WebSocket now. */
  answer(request: Request, peerAddress: string, server: Server<unknown>): Promise<Response | undefined>;
}

/** Which part answers below which path; the first match wins. */
export interface Route {
  readonly prefix: string;
  readonly answer: (
    request: Request,
    sourceAddress: string,
    /** The listener that accepted the request, for upgrades. */
    server: Server<unknown>,
  ) => Response | undefined | Promise<Response | undefined>;
}

/** Answers paths that no route has. Null: there is no such page. */
export type Pages = (request: Request, pathname: string) => Promise<Response | null>;

export interface FrontOptions {
  readonly log: Log;
  /** The public origin. */
  readonly origin: string;
  /** `host:port` as browsers send it, of the public origin and of the listening address. */
  readonly hosts: ReadonlySet<string>;
  /** The same for former addresses while a move is announced. Absent: none. */
  readonly oldHosts?: ReadonlySet<string>;
  readonly behindProxy: boolean;
  readonly routes: readonly Route[];
  /** Whether this host answers this URL. Undefined: every host answers every URL. */
  readonly answers?: ((host: string, url: URL) => boolean) | undefined;
  /** The dashboard, for paths without a route. Absent: there is none. */
  readonly pages?: Pages;
}

export function createRequestEntry(options: FrontOptions): RequestEntry {
  return {
    async answer(request, peerAddress, server) {
      // HTTP/1.0 requests need no Host, and then there is only a path. Some load balancers send those.
      const url = URL.parse(request.url);
      const pathname = url?.pathname ?? request.url.split("?", 1)[0] ?? "";
      if (url === null && !PROBES.includes(pathname)) {
        return failure(400, "ERR_BAD_REQUEST", "the request names no host");
      }
      // A foreign DNS name that points at this server is refused (DNS rebinding).
      const host = request.headers.get("host")?.toLowerCase() ?? "";
      if (options.oldHosts?.has(host) === true && !isOfPrograms(pathname)) {
        return movedTo(request, options.origin);
      }
      const isOurs = isOurName(host, options.hosts) || options.oldHosts?.has(host) === true;
      if (!isOurs && !PROBES.includes(pathname)) {
        return failure(421, "ERR_BAD_REQUEST", "this server is not known by that name");
      }
      if (url !== null && options.answers?.(host, url) === false) {
        return nothing(request, pathname, options.origin);
      }
      const sourceAddress = sourceOf(request, peerAddress, options.behindProxy);
      const route = options.routes.find(
        ({ prefix }) =>
          pathname === prefix || pathname.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`),
      );
      try {
        if (route === undefined) {
          const page = await options.pages?.(request, pathname);
          return page ?? nothing(request, pathname, options.origin);
        }
        return await route.answer(request, sourceAddress, server);
      } catch (error) {
        if (isQfError(error)) return failure(FAILURES[error.code].httpStatus, error.code, error.message);
        options.log.error("request failed", { path: pathname }, error);
        return failure(500, "ERR_INTERNAL", "something went wrong in management");
      }
    },
  };
}

/** Load balancers ask for these under any name. They reveal nothing. */
const PROBES: readonly string[] = ["/healthz", "/readyz"];

/** Paths that machines and devices use. The old address answers these until all have followed the move. */
function isOfPrograms(pathname: string): boolean {
  const prefixes = ["/agent", "/client", "/relay"];
  return PROBES.includes(pathname) || prefixes.some((prefix) => pathname.startsWith(`${prefix}/`));
}

/** Redirects people to the same page. A program that sends data gets an error, so that nothing is lost. */
function movedTo(request: Request, origin: string): Response {
  const url = URL.parse(request.url);
  if (url === null || (request.method !== "GET" && request.method !== "HEAD")) {
    return failure(421, "ERR_MOVED", `this server has moved to ${origin}`);
  }
  return Response.redirect(`${origin}${url.pathname}${url.search}`, 308);
}

/** One of our names, or an IP address, which DNS cannot point elsewhere. */
function isOurName(host: string, hosts: ReadonlySet<string>): boolean {
  return hosts.has(host) || isIP(host.replace(/:\d{1,5}$/, "").replace(/^\[|\]$/g, "")) !== 0;
}

/** The source address in its canonical spelling, under which limits count it. */
function sourceOf(request: Request, peerAddress: string, behindProxy: boolean): string {
  return (behindProxy ? forwardedFor(request) : undefined) ?? canonicalAddress(peerAddress) ?? peerAddress;
}

/**
 * The address that our own proxy saw: the last in the list, since any client can forge the others. Some
 * proxies append the port, which differs for each connection. Undefined when it is not an address.
 */
function forwardedFor(request: Request): string | undefined {
  const last = request.headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() ?? "";
  const match =
    /^(?:(?<v4>[0-9.]+)(?::\d{1,5})?|\[(?<v6>[0-9A-Fa-f:.]+)\](?::\d{1,5})?|(?<bare>[0-9A-Fa-f:.]+))$/.exec(
      last,
    );
  const { v4, v6, bare } = match?.groups ?? {};
  return canonicalAddress(v4 ?? v6 ?? bare ?? "");
}

/** The answer at `/` without a dashboard and at unknown paths: HTML for a person, JSON for a program. */
function nothing(request: Request, pathname: string, origin: string): Response {
  if (!wantsPage(request)) return failure(404, "ERR_NOT_FOUND", "there is nothing here");
  return pathname === "/" ? rootPage(origin) : nothingHerePage();
}

function failure(status: number, error: FailureCode, message: string): Response {
  const body: ApiFailure = { code: status, message, error };
  return Response.json(body, { status, headers: { ...SAFE_HEADERS } });
}
