/**
 * The page's calls of the client API, which `qf` uses too. Each request carries its own proofs, and neither
 * cookie nor token.
 *
 * @module
 */
import type {
  CertificateRequest,
  CertificateResponse,
  Challenge,
  RegisterRequest,
  RegisterResponse,
} from "../../wire/client-api.ts";
import type { ClientConfig } from "../../wire/client-config.ts";
import type {
  HostedClaimRequest,
  HostedClaimResponse,
  HostedLoginRequest,
  HostedLoginResponse,
} from "../../wire/hosted-login-api.ts";
import { TERMINAL_TICKETS_PATH } from "../../wire/terminal-page.ts";
import { ApiError } from "../api/client.ts";
import { serverClock } from "./server-clock.ts";

const TIMEOUT_MS = 30_000;

export const clientCalls = {
  config: (): Promise<ClientConfig> => call("GET", "/client/v1/config"),
  challenge: (): Promise<Challenge> => call("POST", "/client/v1/challenges"),
  hosted: (body: HostedLoginRequest): Promise<HostedLoginResponse> => call("POST", "/client/v1/hosted", body),
  /** `signal` gives the request up. It then rejects as if the server were away. */
  claim: (id: string, body: HostedClaimRequest, signal?: AbortSignal): Promise<HostedClaimResponse> =>
    call("POST", `/client/v1/hosted/${encodeURIComponent(id)}/claim`, body, signal),
  register: (body: RegisterRequest): Promise<RegisterResponse> => call("POST", "/client/v1/devices", body),
  certificate: (body: CertificateRequest): Promise<CertificateResponse> =>
    call("POST", "/client/v1/certificates", body),
  /** Authenticated by the dashboard session. */
  ticket: async (helloHash: string): Promise<string> =>
    (await call<{ ticket: string }>("POST", TERMINAL_TICKETS_PATH, helloHash)).ticket,
};

async function call<T>(
  method: string,
  path: string,
  body?: object | string,
  signal?: AbortSignal,
): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: path.startsWith("/api/") ? "same-origin" : "omit",
      headers: {
        "x-qf-dashboard": "1",
        ...(typeof body === "object" ? { "content-type": "application/json" } : {}),
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
  } catch {
    throw failed("The server cannot be reached.", 0, "ERR_UNREACHABLE", "Check your network.");
  }
  serverClock.heard(response.headers.get("date"), Date.now());
  const said = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (response.ok) return said as T;
  const text = (name: string): string => (typeof said[name] === "string" ? said[name] : "");
  throw failed(sentence(text("message")), response.status, text("error"), text("hint"));
}

function failed(message: string, status: number, code: string, hint: string): ApiError {
  const about = { status, code, hint: hint === "" ? null : sentence(hint), requestId: null };
  return new ApiError(message === "" ? "The server did not answer as expected." : message, about);
}

/** Turns a message of the API, which has no capital and no full stop, into a sentence. */
export function sentence(line: string): string {
  if (line === "") return "";
  const text = line.slice(0, 1).toUpperCase() + line.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
