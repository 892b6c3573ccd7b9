/**
 * The REST API as the dashboard calls it: typed by the table of routes, with the session's cookie, and every
 * failure as one kind of error.
 *
 * @module
 */
import type { ApiRoutes } from "./routes.ts";

export type RouteName = keyof ApiRoutes;
export type Answer<R extends RouteName> = ApiRoutes[R]["answer"];
export type Body<R extends RouteName> = ApiRoutes[R] extends { body: infer B } ? B : undefined;
export type Query<R extends RouteName> = ApiRoutes[R] extends { query: infer Q } ? Q : undefined;

/** A request with nothing that its route does not take. */
export interface ApiCall<R extends RouteName> {
  /** Values of `:name` parts of the path. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Partial<Query<R>>;
  readonly body?: Body<R>;
  readonly signal?: AbortSignal;
}

/** A list with its total over all pages. */
export interface Page<R extends RouteName> {
  readonly items: Answer<R>;
  readonly total: number;
  /** Where the next page begins. Null: this is the last one. */
  readonly cursor: string | null;
}

/** What the API said no with, or that it could not be asked. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** HTTP status; 0: no answer. */
  readonly status: number;
  /** `ERR_…` of the server. */
  readonly code: string;
  readonly hint: string | null;
  /** Names the request in the server's log. */
  readonly requestId: string | null;
  /** Digest of this request, where its person has to confirm it after a fresh sign-in. */
  readonly confirm: string | null;

  constructor(
    message: string,
    about: Pick<ApiError, "status" | "code" | "hint" | "requestId"> & { readonly confirm?: string | null },
  ) {
    super(message);
    this.status = about.status;
    this.code = about.code;
    this.hint = about.hint;
    this.requestId = about.requestId;
    this.confirm = about.confirm ?? null;
  }
}

/** Without an answer in this time the request is given up. */
const TIMEOUT_MS = 30_000;

/** Asks and parses. Throws `ApiError`; status 0 where there was no answer. */
export async function callApi<R extends RouteName>(route: R, call: ApiCall<R> = {}): Promise<Answer<R>> {
  const { body } = await ask(route, call);
  return body as Answer<R>;
}

/** `callApi` of a list, with what its headers say. */
export async function callPage<R extends RouteName>(route: R, call: ApiCall<R> = {}): Promise<Page<R>> {
  const { body, headers } = await ask(route, call);
  const next = /<([^>]+)>;\s*rel="next"/.exec(headers.get("link") ?? "")?.[1];
  const cursor = next === undefined ? null : new URL(next).searchParams.get("cursor");
  return { items: body as Answer<R>, total: Number(headers.get("x-total-count") ?? "0"), cursor };
}

async function ask<R extends RouteName>(
  route: R,
  call: ApiCall<R>,
): Promise<{ readonly body: unknown; readonly headers: Headers }> {
  const [method = "GET", pattern = ""] = route.split(" ");
  const path = pattern.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(call.params?.[name] ?? ""));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  const url = query.size === 0 ? path : `${path}?${query}`;
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers: {
        "x-qf-dashboard": "1",
        ...(call.body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      signal: call.signal === undefined ? timeout : AbortSignal.any([call.signal, timeout]),
    });
  } catch (cause) {
    if (call.signal?.aborted === true) throw cause;
    throw new ApiError("The server cannot be reached.", {
      status: 0,
      code: "ERR_UNREACHABLE",
      hint: "Check your network.",
      requestId: null,
    });
  }
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) throw failureOf(response, body);
  return { body, headers: response.headers };
}

function failureOf(response: Response, body: unknown): ApiError {
  const said = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const text = (name: string): string | null => (typeof said[name] === "string" ? said[name] : null);
  const hint = text("hint");
  return new ApiError(sentence(text("message") ?? "The server did not answer as expected"), {
    status: response.status,
    code: text("error") ?? "ERR_INTERNAL",
    hint: hint === null ? null : sentence(hint),
    requestId: response.headers.get("x-request-id"),
    confirm: response.headers.get("x-confirm-digest"),
  });
}

/** The API's lines begin in lower case, and end without a stop. */
function sentence(line: string): string {
  const text = line.slice(0, 1).toUpperCase() + line.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
