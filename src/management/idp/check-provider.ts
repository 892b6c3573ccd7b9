/**
 * Checks of the identity provider, for `qf doctor` on the management host.
 *
 * They sign no one in and change nothing. Each finds a fault that people would otherwise meet at their first
 * sign-in: the address, TLS, keys, the client and its secret, redirect URIs, claims.
 *
 * @module
 */

import { isQfError } from "../../base/errors.ts";
import { silentLog } from "../../base/log.ts";
import { fetchKeys } from "../../identity/issuer-document.ts";
import { probeClient, probeRedirect } from "../../identity/probe-provider.ts";
import { fetchProviderDocument } from "../../identity/provider-document.ts";
import { JWS_ALGORITHMS } from "../../wire/certificate.ts";
import { type Finding, fine, note, problem } from "../../wire/finding.ts";
import type { ProviderDocument } from "../../wire/identity-provider.ts";
import type { ProviderFile } from "../../wire/provider-file.ts";
import type { OidcSettings } from "../contracts/context.ts";
import { readProviderFile } from "./provider-file.ts";
import { type RedirectUri, redirectUris } from "./redirect-uris.ts";
import { externalOidc } from "./settings.ts";

/** An arbitrary port, to check that loopback redirects may use any. */
const SOME_PORT = 49_321;

/** Findings about the provider that management last used with `dataDir`. */
export async function checkProvider(dataDir: string): Promise<Finding[]> {
  try {
    const file = await readProviderFile(dataDir);
    if (file === undefined) {
      const message = `no management has served from ${dataDir} yet`;
      return [note("provider", "provider.settings", message, "qf management serve")];
    }
    if (file.external === null)
      return [fine("provider", "provider.settings", "people sign in with the embedded provider")];
    return await checkExternal(file, await settingsOf(file.external));
  } catch (error) {
    return [failed("provider.settings", error)];
  }
}

type External = NonNullable<ProviderFile["external"]>;

function settingsOf(external: External): Promise<OidcSettings> {
  const { clientSecretFile, clientAuth, groupsClaim, webClientId, audience, ...rest } = external;
  const options = {
    ...rest,
    ...(webClientId === undefined ? {} : { webClientId }),
    ...(audience === null ? {} : { audience }),
    ...(clientSecretFile === null ? {} : { clientSecretFile }),
    ...(clientAuth === null ? {} : { clientAuth }),
    ...(groupsClaim === null ? {} : { groupsClaim }),
  };
  return externalOidc(options, silentLog);
}

async function checkExternal({ origin }: ProviderFile, oidc: OidcSettings): Promise<Finding[]> {
  let document: ProviderDocument;
  try {
    document = await fetchProviderDocument(oidc.issuer, oidc.fetch);
  } catch (error) {
    // Nothing else can be checked without the document, but the redirect URIs are still worth showing.
    const uris = redirectUris(oidc, origin).map(({ uri, use }) =>
      note("provider", "provider.redirect", `${uri} is for ${use}`),
    );
    return [failed("provider.discovery", error), ...uris];
  }
  return [
    fine("provider", "provider.discovery", `people sign in at ${oidc.issuer}`),
    ...(await checkKeys(oidc, document)),
    await checkClient(oidc, document, origin),
    ...(await checkRedirects(oidc, document, origin)),
    ...checkClaims(oidc, document),
    ...checkPrompt(oidc),
  ];
}

async function checkKeys(oidc: OidcSettings, document: ProviderDocument): Promise<Finding[]> {
  const algorithms = document.id_token_signing_alg_values_supported;
  const supported = algorithms?.filter((name) => (JWS_ALGORITHMS as readonly string[]).includes(name));
  if (supported?.length === 0) {
    const message = `the provider signs with ${algorithms?.join(", ")}, which is not taken`;
    const fix = `have it sign ID tokens with one of ${JWS_ALGORITHMS.join(", ")}`;
    return [problem("provider", "provider.keys", message, fix)];
  }
  try {
    const keys = await fetchKeys(document, oidc.fetch);
    return [
      fine(
        "provider",
        "provider.keys",
        `it publishes ${keys.length === 1 ? "one key" : `${keys.length} keys`} for tokens`,
      ),
    ];
  } catch (error) {
    return [failed("provider.keys", error)];
  }
}

async function checkClient(oidc: OidcSettings, document: ProviderDocument, origin: string): Promise<Finding> {
  // The client with which management redeems the codes of its own pages.
  const { webClientId: clientId, clientSecret, clientAuth } = oidc;
  const redirectUri = redirectUris(oidc, origin)[0]?.uri ?? "";
  try {
    const credentials = { clientId, clientSecret, clientAuth };
    const answer = await probeClient(document, { credentials, redirectUri, fetch: oidc.fetch });
    const how = answer.method === null ? "without a secret" : `by ${answer.method}`;
    if (answer.kind === "known") {
      return fine("provider", "provider.client", `its token endpoint knows the client ${clientId}, ${how}`);
    }
    if (answer.kind === "unclear") {
      const message = `its token endpoint does not say whether it knows the client (${answer.said})`;
      return note("provider", "provider.client", message);
    }
    const message = `its token endpoint does not take the client ${clientId}, ${how} (${answer.said})`;
    const fix =
      clientSecret === null
        ? "register it as a public client there, or give its secret with --oidc-client-secret-file"
        : "check --oidc-client-id, the secret in --oidc-client-secret-file, and --oidc-client-auth";
    return problem("provider", "provider.client", message, fix);
  } catch (error) {
    return failed("provider.client", error);
  }
}

async function checkRedirects(
  oidc: OidcSettings,
  document: ProviderDocument,
  origin: string,
): Promise<Finding[]> {
  const { scope, redirectPort } = oidc;
  const findings: Finding[] = [];
  for (const { uri, use, clientId } of redirectUris(oidc, origin)) {
    const isAnyPort = redirectPort === 0 && uri.endsWith(`//${oidc.loopbackHost}/callback`);
    const redirectUri = isAnyPort ? uri.replace("/callback", `:${SOME_PORT}/callback`) : uri;
    try {
      const { kind, said } = await probeRedirect(document, { clientId, redirectUri, scope });
      findings.push(redirectFinding(kind, { uri, use, said, isAnyPort, clientId }));
    } catch (error) {
      findings.push(failed("provider.redirect", error));
    }
  }
  return findings;
}

function redirectFinding(
  kind: "known" | "refused" | "unclear",
  { uri, use, said, isAnyPort, clientId }: RedirectUri & { said: string; isAnyPort: boolean },
): Finding {
  if (kind === "known") return fine("provider", "provider.redirect", `${uri} is registered, for ${use}`);
  if (kind === "unclear") {
    return note(
      "provider",
      "provider.redirect",
      `${uri} is for ${use}; whether it is registered is not to be seen`,
    );
  }
  const port = isAnyPort
    ? "; if it compares ports, choose one with --oidc-redirect-port and register that"
    : "";
  const fix = `register ${uri} for the client ${clientId} there${port}`;
  return problem(
    "provider",
    "provider.redirect",
    `the provider does not send people back to ${uri} (${said})`,
    fix,
  );
}

/** Checks the document's scopes and claims. The lists may be incomplete, so these findings are only notes. */
function checkClaims(oidc: OidcSettings, document: ProviderDocument): Finding[] {
  const { scopes_supported: scopes, claims_supported: claims, userinfo_endpoint: userInfo } = document;
  const findings: Finding[] = [];
  const unknown = oidc.scope.split(" ").filter((scope) => scopes !== undefined && !scopes.includes(scope));
  if (unknown.length > 0) {
    const message = `the provider does not list the scope ${unknown.join(", ")}`;
    findings.push(note("provider", "provider.claims", message, "see --oidc-scope"));
  }
  const wanted = [oidc.userIdClaim, ...(oidc.groupsClaim === null ? [] : [oidc.groupsClaim])];
  for (const claim of wanted.filter((name) => !isListed(claims, name))) {
    const message = `the provider does not list the claim ${claim}`;
    findings.push(
      note(
        "provider",
        "provider.claims",
        message,
        "see that its client puts it into the ID token or UserInfo",
      ),
    );
  }
  if (oidc.groupsClaim !== null && userInfo === undefined) {
    const message = `the provider has no UserInfo: ${oidc.groupsClaim} must be in the ID token`;
    findings.push(note("provider", "provider.claims", message));
  }
  return findings;
}

function isListed(claims: readonly string[] | undefined, path: string): boolean {
  return claims === undefined || claims.includes(path) || claims.includes(path.split(".")[0] ?? path);
}

/** Google documents this for people only; its discovery document does not say so. */
function checkPrompt({ issuer }: OidcSettings): Finding[] {
  if (issuer !== "https://accounts.google.com") return [];
  const message =
    "Google refuses prompt=login, which the account asks for unless its setting prompt_login is false";
  return [note("provider", "provider.prompt", message, "qf account set prompt_login=false")];
}

function failed(code: string, error: unknown): Finding {
  if (!isQfError(error)) throw error;
  return problem("provider", code, error.message, error.hint ?? "look at the provider's own log");
}
