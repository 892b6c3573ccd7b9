/**
 * The dashboard's REST client: typed by the table of routes, authenticated by the session cookie, and with
 * every failure as an `ApiError`.
 *
 * @module
 */
import type { ApiRoutes } from "./routes.ts";

export type RouteName = keyof ApiRoutes;
export type Answer<R extends RouteName> = ApiRoutes[R]["answer"];
export type Body<R extends RouteName> = ApiRoutes[R] extends { body: infer B } ? B : undefined;
export type Query<R extends RouteName> = ApiRoutes[R] extends { query: infer Q } ? Q : undefined;

/** A request that holds only what its route accepts. */
export interface ApiCall<R extends RouteName> {
  /** Values for the `:name` parts of the path. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Partial<Query<R>>;
  readonly body?: Body<R>;
  readonly signal?: AbortSignal;
}

/** One page of a list, with the total over all pages. */
export interface Page<R extends RouteName> {
  readonly items: Answer<R>;
  readonly total: number;
  /** Where the next page begins. Null: this is the last page. */
  readonly cursor: string | null;
}

/** A refusal by the API, or a request without an answer. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** HTTP status; 0: no answer. */
  readonly status: number;
  /** The server's `ERR_…` code. */
  readonly code: string;
  readonly hint: string | null;
  /** Identifies the request in the server's log. */
  readonly requestId: string | null;
  /** Digest of this request, when the user has to confirm it after a fresh sign-in. Null: not needed. */
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

/** A request without an answer is given up after this. */
const TIMEOUT_MS = 30_000;

/** Calls a route and parses the answer. Throws `ApiError`, with status 0 when there is no answer. */
export async function callApi<R extends RouteName>(route: R, call: ApiCall<R> = {}): Promise<Answer<R>> {
  const { body } = await ask(route, call);
  return body as Answer<R>;
}

/** `callApi` for a list, with the total and cursor from the headers. */
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

/** Turns a message of the API, which has no capital and no full stop, into a sentence. */
function sentence(line: string): string {
  const text = line.slice(0, 1).toUpperCase() + line.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
