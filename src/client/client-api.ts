/**
 * The client's side of `/client/v1`: one method per request, with answers bounded and parsed strictly.
 *
 * Never follows a redirect, uses http:// only to this machine, and never retries. Shapes and signed fields
 * are in `wire/client-api.ts`.
 *
 * @module
 */

import type { z } from "zod";
import { type Clock, systemClock } from "../base/clock.ts";
import { FAILURES, type FailureCode, QfError } from "../base/errors.ts";
import { parseJson } from "../base/files.ts";
import { GATEWAY_STATUSES, linkFailure } from "../base/link-failure.ts";
import { printable } from "../base/printable.ts";
import type { AccessRequest, AccessRequestWrite } from "../wire/access-request.ts";
import { type ApiTokenRequest, ApiTokenResponse } from "../wire/api-token.ts";
import {
  ApiFailure,
  type CertificateRequest,
  CertificateResponse,
  Challenge,
  type LogoutRequest,
  type NamesRequest,
  NamesResponse,
  type RegisterRequest,
  RegisterResponse,
  type TargetRequest,
  TargetResponse,
} from "../wire/client-api.ts";
import { ClientConfig } from "../wire/client-config.ts";
import { type EnrolRequest, EnrolResponse } from "../wire/enrolment.ts";
import {
  type HostedClaimRequest,
  HostedClaimResponse,
  type HostedLoginRequest,
  HostedLoginResponse,
} from "../wire/hosted-login-api.ts";
import { PROTOCOL_VERSION } from "../wire/version.ts";
import { checkManagementUrl } from "./management-url.ts";
import { watchPresence } from "./presence.ts";

/** Longest answer accepted from management: a certificate with a large ID token, and a margin. */
export const ANSWER_BYTES_MAX = 512 * 1024;
const TIMEOUT_MS_DEFAULT = 15_000;
/**
 * A connection that was idle for longer, such as during a sign-in, is not reused: servers and proxies close
 * idle connections, and fetch does not retry a POST that meets the close.
 */
const IDLE_MS_MAX = 2_000;

/** Management did not answer: no connection, a time-out, or a proxy that cannot reach it. */
export class ManagementAwayError extends QfError {}

/** The client's requests. Each throws a QfError with the server's message, or ERR_UNAVAILABLE. */
export interface ClientApi {
  /** Management's origin, without a final slash. */
  readonly origin: string;
  /** Also throws ERR_UNAVAILABLE when the server's origin is not the one we asked. */
  config(): Promise<ClientConfig>;
  challenge(): Promise<Challenge>;
  registerDevice(request: RegisterRequest): Promise<RegisterResponse>;
  /** A denial is an answer (`outcome`), not an error. */
  certificate(request: CertificateRequest): Promise<CertificateResponse>;
  /** A short-lived token for the REST API, with the rights of the person's role. */
  apiToken(request: ApiTokenRequest): Promise<ApiTokenResponse>;
  /** Requests an approval with such a token. Idempotent. */
  askAccess(token: string, request: AccessRequestWrite): Promise<AccessRequest>;
  /** The request, once decided or after `waitSeconds`. */
  accessRequest(token: string, id: string, waitSeconds: number): Promise<AccessRequest>;
  /** Where a machine is. Throws ERR_ACCESS_DENIED when no rule lets this device reach it. */
  target(request: TargetRequest): Promise<TargetResponse>;
  /**
   * Names that work without the domain. Throws ERR_LOGIN_REQUIRED or ERR_ACCESS_DENIED depending on the
   * device's state.
   */
  names(request: NamesRequest): Promise<NamesResponse>;
  logout(request: LogoutRequest): Promise<void>;
  openHosted(request: HostedLoginRequest): Promise<HostedLoginResponse>;
  claimHosted(id: string, request: HostedClaimRequest): Promise<HostedClaimResponse>;
  enrolMachine(request: EnrolRequest): Promise<EnrolResponse>;
}

export interface ClientApiOptions {
  /** Management's URL; a path on it is kept. */
  readonly url: string;
  readonly fetch?: typeof fetch;
  /** Longest wait for one whole answer. Default 15 s. */
  readonly timeoutMs?: number;
  /** Milliseconds without an answer after which the client tests whether the server is up. Default 2 s. */
  readonly lateMs?: number;
  readonly clock?: Clock;
  /**
   * Called when management at our URL reports another origin. Throws ERR_MOVED once the move is followed, and
   * returns if it must not be. Absent: moves are not followed.
   */
  readonly onElsewhere?: (config: ClientConfig) => Promise<void>;
}

/** Builds a client and sends nothing. Throws ERR_USAGE for a URL we must not use. */
export function createClientApi(options: ClientApiOptions): ClientApi {
  const origin = checkManagementUrl(options.url);
  const ask = createSender(origin, options);
  const config = async (): Promise<ClientConfig> => {
    const answered = await ask("GET", "/config", undefined, ClientConfig);
    if (isElsewhere(answered, origin)) await options.onElsewhere?.(answered);
    checkConfig(answered, origin);
    return answered;
  };
  const send: Send = async (...request) => {
    try {
      return await ask(...request);
    } catch (error) {
      // A request signed for one address is refused at another, so check whether management has moved.
      const mayBe = error instanceof QfError && MAY_HAVE_MOVED.some((code) => error.code === code);
      if (mayBe && options.onElsewhere !== undefined) await config().catch(onlyMoved);
      throw error;
    }
  };
  return {
    origin,
    config,
    challenge: () => send("POST", "/challenges", {}, Challenge),
    registerDevice: (request) => send("POST", "/devices", request, RegisterResponse),
    certificate: (request) => send("POST", "/certificates", request, CertificateResponse),
    apiToken: (request) => send("POST", "/tokens", request, ApiTokenResponse),
    askAccess: async (token, request) =>
      send("POST", "/api/access/requests", request, await accessRequestShape(), token),
    accessRequest: async (token, id, waitSeconds) => {
      const path = `/api/access/requests/${encodeURIComponent(id)}?wait_seconds=${waitSeconds}`;
      return send("GET", path, undefined, await accessRequestShape(), token);
    },
    target: (request) => send("POST", "/targets", request, TargetResponse),
    names: (request) => send("POST", "/names", request, NamesResponse),
    logout: (request) => send("POST", "/logout", request, undefined),
    openHosted: (request) => send("POST", "/hosted", request, HostedLoginResponse),
    claimHosted: (id, request) =>
      send("POST", `/hosted/${encodeURIComponent(id)}/claim`, request, HostedClaimResponse),
    enrolMachine: (request) => send("POST", "/machines", request, EnrolResponse),
  };
}

/** Refusals that a request signed for another address can get. */
const MAY_HAVE_MOVED = [
  "ERR_MOVED",
  "ERR_UNAUTHENTICATED",
  "ERR_FORBIDDEN",
  "ERR_TOKEN_INVALID",
  "ERR_LOGIN_REQUIRED",
  "ERR_BAD_REQUEST",
] as const;

function isElsewhere({ origin: theirs }: ClientConfig, ours: string): boolean {
  return theirs.replace(/\/+$/, "") !== ours;
}

function onlyMoved(error: unknown): void {
  if (error instanceof QfError && error.code === "ERR_MOVED") throw error;
}

/** Loaded on demand: it brings in the policy schemas, which a connection does not need. */
async function accessRequestShape() {
  return (await import("../wire/access-request.ts")).AccessRequest;
}

/** Refuses a server with a newer protocol or another origin than ours. */
function checkConfig(config: ClientConfig, origin: string): void {
  if (config.protocolVersion > PROTOCOL_VERSION) {
    throw new QfError("ERR_UNAVAILABLE", "management speaks a newer protocol than this qf", {
      hint: "install the version of qf that management runs",
    });
  }
  if (isElsewhere(config, origin)) {
    throw new QfError("ERR_UNAVAILABLE", `the management server at ${origin} calls itself ${config.origin}`, {
      hint: "use the URL it was started with (--public-url)",
    });
  }
}

type Send = <T>(
  method: "GET" | "POST",
  path: string,
  body: unknown,
  answer: z.ZodType<T> | undefined,
  /** REST API token, for paths under /api. */
  token?: string,
) => Promise<T>;

function createSender(origin: string, options: ClientApiOptions): Send {
  const doFetch = options.fetch ?? fetch;
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS_DEFAULT;
  const clock = options.clock ?? systemClock;
  let answeredAtMs = clock.monotonicMs();
  return async <T>(
    method: "GET" | "POST",
    path: string,
    body: unknown,
    answer: z.ZodType<T> | undefined,
    token?: string,
  ): Promise<T> => {
    let response: Response;
    let text: string;
    const presence = watchPresence(origin, { lateMs: options.lateMs });
    try {
      response = await doFetch(`${origin}${token === undefined ? "/client/v1" : ""}${path}`, {
        method,
        redirect: "error",
        keepalive: clock.monotonicMs() - answeredAtMs < IDLE_MS_MAX,
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), presence.signal]),
        headers: {
          ...{ accept: "application/json", "content-type": "application/json" },
          ...(token === undefined ? {} : { authorization: `Token ${token}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      text = await readBounded(response);
      answeredAtMs = clock.monotonicMs();
    } catch (cause) {
      if (cause instanceof QfError) throw cause;
      throw unreachableManagement(origin, cause);
    } finally {
      presence.end();
    }
    if (!response.ok) throw failureOf(response.status, text, origin);
    if (answer === undefined) return undefined as T;
    const parsed = answer.safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    throw new QfError("ERR_UNAVAILABLE", `management at ${origin} gave an answer that makes no sense`, {
      hint: "check that the URL is QuFabric's management, and that both run the same version",
      cause: parsed.error,
    });
  };
}

/** The text of `response`, at most `ANSWER_BYTES_MAX`. */
async function readBounded(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > ANSWER_BYTES_MAX) throw new QfError("ERR_UNAVAILABLE", "management's answer is too long");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** ERR_UNAVAILABLE with a one-line explanation of why management could not be reached. */
export function unreachableManagement(origin: string, cause: unknown): QfError {
  const { message, fix, isAway } = linkFailure(cause);
  const made = isAway ? ManagementAwayError : QfError;
  return new made("ERR_UNAVAILABLE", `cannot reach management at ${origin}: ${message}`, {
    hint: fix ?? "check the URL and that the server runs",
    cause,
  });
}

/** The server's message if it sent one, and its code if we know it. */
function failureOf(status: number, text: string, origin: string): QfError {
  const parsed = ApiFailure.safeParse(parseJson(text));
  if (!parsed.success) {
    const made = GATEWAY_STATUSES.includes(status) ? ManagementAwayError : QfError;
    return new made("ERR_UNAVAILABLE", `management at ${origin} answered with HTTP status ${status}`, {
      hint: "check that the URL is QuFabric's management",
    });
  }
  const { message, error, hint } = parsed.data;
  const code = Object.hasOwn(FAILURES, error) ? (error as FailureCode) : codeOfStatus(status);
  return new QfError(
    code,
    printable(message).slice(0, 500),
    hint === undefined ? {} : { hint: printable(hint).slice(0, 500) },
  );
}

function codeOfStatus(status: number): FailureCode {
  if (status === 401) return "ERR_UNAUTHENTICATED";
  if (status === 403) return "ERR_FORBIDDEN";
  if (status === 404) return "ERR_NOT_FOUND";
  if (status === 409) return "ERR_CONFLICT";
  if (status === 429) return "ERR_TOO_MANY";
  return status >= 500 ? "ERR_UNAVAILABLE" : "ERR_BAD_REQUEST";
}
