/**
 * Settings of the identity provider: the embedded one, or an external one given with `--oidc-…`.
 *
 * @module
 */
import { readFile, stat } from "node:fs/promises";
import { QfError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { createStrictFetch, isSafeUrl } from "../../identity/strict-fetch.ts";
import type { LoopbackHost } from "../../wire/client-config.ts";
import type { ClientAuthMethod } from "../../wire/identity-provider.ts";
import { HttpUrl } from "../../wire/units.ts";
import type { OidcSettings } from "../contracts/context.ts";
import { EMBEDDED_CLIENT_ID, EMBEDDED_SCOPE } from "./provider.ts";

const SECRET_BYTES_MAX = 4096;
/** With name and e-mail, since lists of people would otherwise show only ids. */
export const SCOPE_DEFAULT = "openid profile email";

/** As given on the command line. */
export interface ExternalOidcOptions {
  /** Exact `iss` of its tokens. */
  readonly issuer: string;
  readonly clientId: string;
  /** Client of sign-ins on management's pages. Default: `clientId`. */
  readonly webClientId?: string;
  /**
   * Secret of that client. Absent: a public client. With a secret and no separate web client, `qf` cannot run
   * the loopback flow.
   */
  readonly clientSecretFile?: string;
  /** Loopback port that the provider requires. Default 0: any. */
  readonly redirectPort?: number;
  /** Default 127.0.0.1. */
  readonly loopbackHost?: LoopbackHost;
  /** Default: by the discovery document. */
  readonly clientAuth?: ClientAuthMethod;
  /** Exact `aud` for both clients. Default: each client's id. */
  readonly audience?: string;
  /** Default `openid profile email`. */
  readonly scope?: string;
  /** Default `sub`. */
  readonly userIdClaim?: string;
  /** Default: groups are not read from tokens. */
  readonly groupsClaim?: string;
}

/** `fetchProvider` reaches the embedded provider without a detour over the public URL. */
export function embeddedOidc(origin: string, fetchProvider: typeof fetch): OidcSettings {
  return {
    embedded: true,
    issuer: `${origin}/idp`,
    clientId: EMBEDDED_CLIENT_ID,
    webClientId: EMBEDDED_CLIENT_ID,
    clientSecret: null,
    clientAuth: null,
    audience: null,
    scope: EMBEDDED_SCOPE,
    userIdClaim: "sub",
    groupsClaim: null,
    loopback: true,
    redirectPort: 0,
    loopbackHost: "127.0.0.1",
    fetch: fetchProvider,
  };
}

/**
 * Claims that may pass to another person: providers reuse the names of people who left, and let people choose
 * theirs. Only `iss` and `sub` together are stable (OpenID Connect Core 5.7).
 */
const REASSIGNED_CLAIMS: ReadonlySet<string> = new Set([
  "email",
  "preferred_username",
  "upn",
  "unique_name",
  "username",
  "user_name",
  "name",
  "nickname",
  "phone_number",
]);

/** Checks the options and reads the secret. Throws ERR_USAGE or ERR_PERMISSION. */
export async function externalOidc(options: ExternalOidcOptions, log: Log): Promise<OidcSettings> {
  if (!HttpUrl.safeParse(options.issuer).success || !isSafeUrl(options.issuer)) {
    throw new QfError("ERR_USAGE", "--oidc-issuer is not an https URL", {
      hint: "it is the issuer of the provider's discovery document, as in https://accounts.example.com",
    });
  }
  if (options.clientAuth !== undefined && options.clientSecretFile === undefined) {
    throw new QfError("ERR_USAGE", "--oidc-client-auth needs --oidc-client-secret-file");
  }
  if (options.clientId === "") throw new QfError("ERR_USAGE", "--oidc-client-id is missing");
  const { webClientId = options.clientId } = options;
  if (webClientId === "") throw new QfError("ERR_USAGE", "--oidc-web-client-id is empty");
  const scope = options.scope ?? SCOPE_DEFAULT;
  if (!scope.split(" ").includes("openid")) throw new QfError("ERR_USAGE", "--oidc-scope lacks openid");
  const { userIdClaim = "sub" } = options;
  if (REASSIGNED_CLAIMS.has(userIdClaim)) {
    log.warn("people are known by a claim that may become somebody else's; sub and oid stay", {
      claim: userIdClaim,
    });
  }
  const clientSecret =
    options.clientSecretFile === undefined ? null : await readSecret(options.clientSecretFile, log);
  return {
    embedded: false,
    issuer: options.issuer,
    clientId: options.clientId,
    webClientId,
    clientSecret,
    clientAuth: options.clientAuth ?? null,
    audience: options.audience ?? null,
    scope,
    userIdClaim,
    groupsClaim: options.groupsClaim ?? null,
    // `qf` on people's own machines cannot hold a client secret.
    loopback: clientSecret === null || webClientId !== options.clientId,
    redirectPort: options.redirectPort ?? 0,
    loopbackHost: options.loopbackHost ?? "127.0.0.1",
    fetch: createStrictFetch(fetch),
  };
}

async function readSecret(path: string, log: Log): Promise<string> {
  let secret: string;
  try {
    const { mode, size } = await stat(path);
    // Only a warning: secrets mounted into containers are often readable by everyone inside.
    if ((mode & 0o007) !== 0) log.warn("the client secret file is open to everyone", { path });
    secret = size > SECRET_BYTES_MAX ? "" : (await readFile(path, "utf8")).trim();
  } catch (cause) {
    throw new QfError("ERR_PERMISSION", `the client secret file ${path} cannot be read`, { cause });
  }
  if (secret === "") throw new QfError("ERR_USAGE", `the client secret file ${path} holds no secret`);
  return secret;
}
