/**
 * The discovery document of a provider, fetched and checked in one place.
 *
 * @module
 */
import { QfError } from "../base/errors.ts";
import { ProviderDocument } from "../wire/identity-provider.ts";
import { describeIssues } from "../wire/issues.ts";
import { isSafeUrl } from "./strict-fetch.ts";
import { shown } from "./token-fault.ts";

const ENDPOINTS = ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"] as const;

/** Where the document of `issuer` is. */
export function documentUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
}

/**
 * The document of `issuer`. `fetch` bounds time and size. Throws ERR_UNAVAILABLE when it cannot be fetched,
 * names another issuer, or contains URLs we must not use.
 */
export async function fetchProviderDocument(
  issuer: string,
  doFetch: typeof fetch,
): Promise<ProviderDocument> {
  const value = await getJson(documentUrl(issuer), doFetch);
  const { issuer: named } = (value ?? {}) as { issuer?: unknown };
  if (named !== issuer) {
    throw new QfError(
      "ERR_UNAVAILABLE",
      `the identity provider calls itself ${shown(named)}, not ${issuer}`,
      {
        hint: "--oidc-issuer of management must be that name letter by letter, a final slash included",
      },
    );
  }
  const document = ProviderDocument.safeParse(value);
  if (!document.success) {
    throw new QfError("ERR_UNAVAILABLE", "the identity provider's discovery document cannot be used", {
      hint: describeIssues(document.error),
    });
  }
  const unsafe = ENDPOINTS.find((name) => !isSafeUrl(document.data[name] ?? "https://none.example"));
  if (unsafe !== undefined) {
    throw new QfError("ERR_UNAVAILABLE", `the identity provider's ${unsafe} is not https`, {
      hint: "set the provider's own public address to https",
    });
  }
  return document.data;
}

/** The JSON at `url`. Throws ERR_UNAVAILABLE. */
export async function getJson(url: string, doFetch: typeof fetch): Promise<unknown> {
  const response = await doFetch(url, { headers: { accept: "application/json" } });
  if (!response.ok) {
    throw new QfError(
      "ERR_UNAVAILABLE",
      `the identity provider answered with HTTP status ${response.status}`,
      {
        hint: `look at ${url}`,
      },
    );
  }
  try {
    return await response.json();
  } catch (cause) {
    throw new QfError("ERR_UNAVAILABLE", "the identity provider did not answer with JSON", {
      hint: `look at ${url}`,
      cause,
    });
  }
}
