/**
 * Client authentication at the token endpoint (RFC 6749 section 2.3, OpenID Connect Core 9).
 *
 * The discovery document is followed; where it leaves a choice, the next method is tried when the provider
 * says `invalid_client`, since many take one method per client whatever they list.
 *
 * @module
 */
import * as oauth from "oauth4webapi";
import { CLIENT_AUTH_METHODS, type ClientAuthMethod } from "../wire/identity-provider.ts";

export interface ClientCredentials {
  readonly clientId: string;
  /** Null: a public client, which says its id and no more. */
  readonly clientSecret: string | null;
  /** Null: as the discovery document says. */
  readonly clientAuth: ClientAuthMethod | null;
}

/** Methods to try, in this order. Empty: the provider lists none that we can use. */
export function clientAuthMethods(
  { clientAuth }: Pick<ClientCredentials, "clientAuth">,
  listed: readonly string[] | undefined,
): readonly ClientAuthMethod[] {
  if (clientAuth !== null) return [clientAuth];
  // No list means Basic (OpenID Connect Discovery 3), and is found where only the other is taken.
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
 * RFC 6749 section 2.3.1 wants both parts encoded as in a form. Nothing is encoded that need not be: some
 * providers compare the parts as they are, and ids with a dash are common.
 */
export function basicCredentials(clientId: string, secret: string): string {
  const encoded = (text: string): string => encodeURIComponent(text).replaceAll("%20", "+");
  return `Basic ${Buffer.from(`${encoded(clientId)}:${encoded(secret)}`).toString("base64")}`;
}
