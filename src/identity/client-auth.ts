/**
 * Client authentication at the token endpoint (RFC 6749 section 2.3, OpenID Connect Core 9).
 *
 * The discovery document decides. If it allows several methods, the next one is tried after `invalid_client`,
 * since many providers accept only one method per client, whatever they list.
 *
 * @module
 */
import * as oauth from "oauth4webapi";
import { CLIENT_AUTH_METHODS, type ClientAuthMethod } from "../wire/identity-provider.ts";

export interface ClientCredentials {
  readonly clientId: string;
  /** Null: a public client, which sends only its id. */
  readonly clientSecret: string | null;
  /** Null: chosen from the discovery document. */
  readonly clientAuth: ClientAuthMethod | null;
}

/** Methods to try, in order. Empty when the provider lists none that we support. */
export function clientAuthMethods(
  { clientAuth }: Pick<ClientCredentials, "clientAuth">,
  listed: readonly string[] | undefined,
): readonly ClientAuthMethod[] {
  if (clientAuth !== null) return [clientAuth];
  // No list means Basic (OpenID Connect Discovery 3), but some providers without a list accept only POST.
  return CLIENT_AUTH_METHODS.filter((method) => listed === undefined || listed.includes(method));
}

export function clientAuthentication(secret: string | null, method: ClientAuthMethod): oauth.ClientAuth {
  if (secret === null) return oauth.None();
  if (method === "client_secret_post") return oauth.ClientSecretPost(secret);
  return (_server, client, _body, headers) => {
    headers.set("authorization", basicCredentials(client.client_id, secret));
  };
}

/**
 * RFC 6749 section 2.3.1 requires form encoding of both parts. We encode only what must be encoded, since
 * some providers compare the raw parts and ids with a dash are common.
 */
export function basicCredentials(clientId: string, secret: string): string {
  const encoded = (text: string): string => encodeURIComponent(text).replaceAll("%20", "+");
  return `Basic ${Buffer.from(`${encoded(clientId)}:${encoded(secret)}`).toString("base64")}`;
}
