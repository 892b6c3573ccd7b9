/**
 * Refusals by the provider: its own code and description for log and audit, one sentence for the person.
 *
 * A failure is not a refusal by the person: only `access_denied` is a refusal, and it may be the provider's.
 *
 * @module
 */
import { type FailureCode, isQfError, QfError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { sentenceOfFault, type TokenFault } from "./token-fault.ts";

/** The provider's error (RFC 6749 sections 4.1.2.1 and 5.2), each field one bounded line. */
export class ProviderRefusal extends Error {
  override readonly name = "ProviderRefusal";
  readonly endpoint: ProviderEndpoint;
  readonly error: string;
  /** Empty: none given. */
  readonly description: string;

  constructor(endpoint: ProviderEndpoint, said: { error: string; description: string | undefined }) {
    const error = printable(said.error.slice(0, 64));
    const description = printable((said.description ?? "").slice(0, 300));
    super(`${endpoint} endpoint: ${error}${description === "" ? "" : `: ${description}`}`);
    this.endpoint = endpoint;
    this.error = error;
    this.description = description;
  }
}

export type ProviderEndpoint = "authorization" | "token" | "userinfo";

/** A refused token, as a cause. */
export class TokenFaultCause extends Error {
  override readonly name = "TokenFault";
  readonly fault: TokenFault;

  constructor(fault: TokenFault) {
    super(`${fault.check}: expected ${fault.expected}, got ${fault.got}`);
    this.fault = fault;
  }
}

/** The sentence of `fault`: ERR_TOKEN_INVALID, or ERR_LOGIN_REQUIRED if the token is only too old. */
export function tokenRefused(fault: TokenFault): QfError {
  const isOver = fault.check === "too_old" || fault.check === "expired";
  return faultFailure(isOver ? "ERR_LOGIN_REQUIRED" : "ERR_TOKEN_INVALID", fault);
}

/** The same for a sign-in made just now, where signing in again would not help. */
export function signInRefused(fault: TokenFault): QfError {
  return faultFailure("ERR_LOGIN_FAILED", fault);
}

function faultFailure(code: FailureCode, fault: TokenFault): QfError {
  const { message, hint } = sentenceOfFault(fault);
  return new QfError(code, message, { hint, cause: new TokenFaultCause(fault) });
}

/** ERR_LOGIN_FAILED, or ERR_UNAVAILABLE if the provider reports a temporary failure. */
export function providerRefused(refusal: ProviderRefusal): QfError {
  const { error, endpoint } = refusal;
  const description = refusal.description === "" ? "" : `; it says: ${refusal.description}`;
  const failed = (message: string, hint: string): QfError =>
    new QfError("ERR_LOGIN_FAILED", message, { hint: `${hint}${description}`, cause: refusal });
  if (error === "temporarily_unavailable" || error === "server_error") {
    return new QfError("ERR_UNAVAILABLE", `the identity provider cannot sign anybody in now (${error})`, {
      hint: `try again; if it stays so, look at the provider's log${description}`,
      cause: refusal,
    });
  }
  if (error === "access_denied") return failed("the sign-in was refused", "start again");
  if (endpoint === "token" && error === "invalid_client") {
    return failed(
      "the identity provider does not accept management's client credentials (invalid_client)",
      "check --oidc-client-id, --oidc-client-secret-file and --oidc-client-auth of management",
    );
  }
  if (endpoint === "token" && error === "invalid_grant") {
    return failed(
      "the identity provider does not accept its own code (invalid_grant)",
      "start again; if it stays so, compare the redirect URIs that are registered there",
    );
  }
  if (INTERACTION.includes(error)) {
    return failed(
      `the identity provider wants something of you that it could not ask for (${error})`,
      "sign in to the provider in that browser first, then start again",
    );
  }
  return failed(
    `the identity provider reported an error (${error})`,
    "its administrator can find it in its log",
  );
}

/** OpenID Connect Core 3.1.2.6. */
const INTERACTION = [
  "interaction_required",
  "login_required",
  "consent_required",
  "account_selection_required",
];

/** Whether the person or the provider's own rules refused. */
export function isRefusal(error: unknown): boolean {
  return isQfError(error) && error.cause instanceof ProviderRefusal && error.cause.error === "access_denied";
}

/**
 * Details for log and audit beside code and message: the provider's error, or the expected and actual value.
 */
export function failureDetails(error: unknown): Record<string, string> {
  const cause = isQfError(error) ? error.cause : undefined;
  if (cause instanceof ProviderRefusal) {
    const { endpoint, error: providerError, description } = cause;
    return { endpoint, providerError, ...(description === "" ? {} : { providerDescription: description }) };
  }
  if (cause instanceof TokenFaultCause) return { ...cause.fault };
  return {};
}
