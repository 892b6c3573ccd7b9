/**
 * Probes of a provider for `qf doctor`: whether it knows this client, and to which redirect URIs it sends
 * browsers back. They sign nobody in and change nothing.
 *
 * @module
 */
import { QfError } from "../base/errors.ts";
import { parseJson } from "../base/files.ts";
import {
  type ClientAuthMethod,
  type ProviderDocument,
  ProviderErrorAnswer,
} from "../wire/identity-provider.ts";
import { type ClientCredentials, clientAuthentication, clientAuthMethods } from "./client-auth.ts";
import { authorizationUrl, newState, newVerifier } from "./code-flow.ts";
import { shown } from "./token-fault.ts";

/** `known`: the provider accepted the client's credentials. `unclear`: its answer says neither. */
export type ProbeAnswer = {
  readonly kind: "known" | "refused" | "unclear";
  /** Its answer as one bounded line. */
  readonly said: string;
};

/** An invalid code: a provider that gets as far as rejecting it knows the client. */
const MADE_UP_CODE = "qufabric-asks-whether-this-client-is-known";
/** Answers to it that are about the client (RFC 6749 section 5.2). */
const ABOUT_THE_CLIENT = ["invalid_client", "unauthorized_client"];

/**
 * Whether the token endpoint knows the client and its secret. Throws ERR_UNAVAILABLE when it cannot be
 * asked.
 */
export async function probeClient(
  document: ProviderDocument,
  asked: {
    readonly credentials: ClientCredentials;
    readonly redirectUri: string;
    readonly fetch: typeof fetch;
  },
): Promise<ProbeAnswer & { readonly method: ClientAuthMethod | null }> {
  const { credentials } = asked;
  const listed = document.token_endpoint_auth_methods_supported;
  const methods = credentials.clientSecret === null ? [null] : clientAuthMethods(credentials, listed);
  let answer: ProbeAnswer = { kind: "refused", said: `it lists ${shown(listed?.join(", "))}` };
  for (const method of methods) {
    answer = await askTokenEndpoint(document, { ...asked, method });
    if (answer.kind !== "refused") return { ...answer, method };
  }
  return { ...answer, method: methods[0] ?? null };
}

async function askTokenEndpoint(
  { issuer, token_endpoint }: ProviderDocument,
  asked: {
    readonly credentials: ClientCredentials;
    readonly redirectUri: string;
    readonly fetch: typeof fetch;
    readonly method: ClientAuthMethod | null;
  },
): Promise<ProbeAnswer> {
  const { credentials, redirectUri, method } = asked;
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    code: MADE_UP_CODE,
    redirect_uri: redirectUri,
    code_verifier: newVerifier(),
  });
  const headers = new Headers({ accept: "application/json" });
  const secret = method === null ? null : credentials.clientSecret;
  const authenticate = clientAuthentication(secret, method ?? "client_secret_basic");
  await authenticate({ issuer }, { client_id: credentials.clientId }, body, headers);
  const response = await asked.fetch(token_endpoint, { method: "POST", headers, body });
  return judge(response.status, parseJson(await response.text()));
}

function judge(status: number, value: unknown): ProbeAnswer {
  const parsed = ProviderErrorAnswer.safeParse(value);
  if (!parsed.success) {
    return { kind: status === 401 ? "refused" : "unclear", said: `HTTP status ${status}` };
  }
  const { error, error_description: description = "" } = parsed.data;
  const said = shown(description === "" ? error : `${error}: ${description}`);
  // Some providers report a missing secret as an invalid request.
  const isAboutSecret = error === "invalid_request" && /client[_ ]secret|client[_ ]id/i.test(description);
  const isRefused = status === 401 || ABOUT_THE_CLIENT.includes(error) || isAboutSecret;
  return { kind: isRefused ? "refused" : status >= 500 ? "unclear" : "known", said };
}

/** Expected errors at a registered redirect URI when no prompt is allowed. */
const NOBODY_ASKED = [
  "login_required",
  "interaction_required",
  "consent_required",
  "account_selection_required",
];
const TIMEOUT_MS = 10_000;

/**
 * Whether the provider sends a browser back to this redirect URI, tested with a request that may not prompt
 * (`prompt=none`). Throws ERR_UNAVAILABLE when it cannot be asked.
 */
export async function probeRedirect(
  document: ProviderDocument,
  asked: { readonly clientId: string; readonly redirectUri: string; readonly scope: string },
): Promise<ProbeAnswer> {
  const url = await authorizationUrl(document, {
    ...asked,
    state: newState(),
    nonce: newState(),
    verifier: newVerifier(),
    fresh: false,
    promptLogin: false,
    extra: { prompt: "none" },
  });
  const response = await openPage(url);
  const back = URL.parse(response.headers.get("location") ?? "", url);
  await response.body?.cancel();
  if (back === null || `${back.origin}${back.pathname}` !== asked.redirectUri) {
    return { kind: response.status >= 400 ? "refused" : "unclear", said: `HTTP status ${response.status}` };
  }
  const error = back.searchParams.get("error") ?? "login_required";
  if (NOBODY_ASKED.includes(error)) return { kind: "known", said: shown(error) };
  const description = back.searchParams.get("error_description") ?? "";
  return { kind: "refused", said: shown(description === "" ? error : `${error}: ${description}`) };
}

/** Requests the page like a browser, but without following redirects: the redirect is the answer. */
async function openPage(url: string): Promise<Response> {
  try {
    return await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (cause) {
    throw new QfError("ERR_UNAVAILABLE", "the identity provider's authorization endpoint cannot be reached", {
      hint: "check that it runs and that this machine can reach it",
      cause,
    });
  }
}
