/**
 * The first thing every request meets: is it meant for us, where does it come from, who answers it.
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

/** Who answers below which path; the first that matches. */
export interface Route {
  readonly prefix: string;
  readonly answer: (
    request: Request,
    sourceAddress: string,
    /** The listener that the request came to, for upgrades. */
    server: Server<unknown>,
  ) => Response | undefined | Promise<Response | undefined>;
}

/** Answers addresses that no other part has. Null: there is nothing. */
export type Pages = (request: Request, pathname: string) => Promise<Response | null>;

export interface FrontOptions {
  readonly log: Log;
  /** The public origin, as people type it. */
  readonly origin: string;
  /** `host:port` as browsers send it: of the public origin and of the address listened on. */
  readonly hosts: ReadonlySet<string>;
  /** The same of addresses where it was before, while that is announced. Absent: none. */
  readonly oldHosts?: ReadonlySet<string>;
  readonly behindProxy: boolean;
  readonly routes: readonly Route[];
  /** Whether that host answers that address. Undefined: every host answers all of them. */
  readonly answers?: ((host: string, url: URL) => boolean) | undefined;
  /** The dashboard, where no route answers. Absent: there is none. */
  readonly pages?: Pages;
}

export function createRequestEntry(options: FrontOptions): RequestEntry {
  return {
    async answer(request, peerAddress, server) {
      // HTTP/1.0 need name no host, and then there is only a path; load balancers ask like that.
      const url = URL.parse(request.url);
      const pathname = url?.pathname ?? request.url.split("?", 1)[0] ?? "";
      if (url === null && !PROBES.includes(pathname)) {
        return failure(400, "ERR_BAD_REQUEST", "the request names no host");
      }
      // A name that somebody else's DNS points at us is not ours (DNS rebinding).
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

/** Asked by load balancers, under whatever name. They tell nothing. */
const PROBES: readonly string[] = ["/healthz", "/readyz"];

/** What machines and devices ask for: at the old address they are answered until they have followed. */
function isOfPrograms(pathname: string): boolean {
  const prefixes = ["/agent", "/client", "/relay"];
  return PROBES.includes(pathname) || prefixes.some((prefix) => pathname.startsWith(`${prefix}/`));
}

/** People are led to the same page; a program that sends something is told, so that nothing is lost. */
function movedTo(request: Request, origin: string): Response {
  const url = URL.parse(request.url);
  if (url === null || (request.method !== "GET" && request.method !== "HEAD")) {
    return failure(421, "ERR_MOVED", `this server has moved to ${origin}`);
  }
  return Response.redirect(`${origin}${url.pathname}${url.search}`, 308);
}

/** A name of ours, or an address, which nobody's DNS can point elsewhere. */
function isOurName(host: string, hosts: ReadonlySet<string>): boolean {
  return hosts.has(host) || isIP(host.replace(/:\d{1,5}$/, "").replace(/^\[|\]$/g, "")) !== 0;
}

/** Where a request comes from, in the one spelling under which it is counted. */
function sourceOf(request: Request, peerAddress: string, behindProxy: boolean): string {
  return (behindProxy ? forwardedFor(request) : undefined) ?? canonicalAddress(peerAddress) ?? peerAddress;
}

/**
 * The address our own proxy saw: the last one of the list, since the others are anybody's claim. Some proxies
 * write its port as well, which is another for each connection. Undefined when it is no address.
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

/** At `/` and where nothing is: a page for a person, and JSON for a program. */
function nothing(request: Request, pathname: string, origin: string): Response {
  if (!wantsPage(request)) return failure(404, "ERR_NOT_FOUND", "there is nothing here");
  return pathname === "/" ? rootPage(origin) : nothingHerePage();
}

function failure(status: number, error: FailureCode, message: string): Response {
  const body: ApiFailure = { code: status, message, error };
  return Response.json(body, { status, headers: { ...SAFE_HEADERS } });
}
