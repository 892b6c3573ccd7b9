/**
 * A person's device as management sees it: keys, signed requests, and a browser beside it. Every part
 * can be bent, so that tests can show what is refused.
 */

import * as oauth from "oauth4webapi";
import { type Clock, nowSeconds, systemClock } from "../../src/base/clock.ts";
import { type Ed25519Key, generateEd25519, signEd25519, sshBlobOfEd25519 } from "../../src/base/ed25519.ts";
import { sha256 } from "../../src/base/random.ts";
import { type ClientApi, createClientApi } from "../../src/client/client-api.ts";
import { proofHash } from "../../src/client/device.ts";
import { nonceOf } from "../../src/identity/verify.ts";
import type { ApiTokenRequest, ApiTokenResponse } from "../../src/wire/api-token.ts";
import type {
  CertificateRequest,
  CertificateResponse,
  LoginProof,
  RegisterRequest,
  RegisterResponse,
} from "../../src/wire/client-api.ts";
import type { ClientConfig } from "../../src/wire/client-config.ts";
import type { EnrolRequest, EnrolResponse } from "../../src/wire/enrolment.ts";
import { signedBytes } from "../../src/wire/signed-fields.ts";
import { type BrowserPage, createBrowser, formsOf } from "./browser.ts";

export const LOOPBACK_REDIRECT = "http://127.0.0.1:45998/callback";
const insecure = { [oauth.allowInsecureRequests]: true };
const facts = { hostname: "laptop", os: "linux", kernelVersion: "6.1", version: "0.1.0" };

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

export interface SignedClientParts {
  readonly loginKey?: Ed25519Key;
  readonly deviceKey?: Ed25519Key;
  readonly clock?: Clock;
  /** Sent with each request: a proxy's word for where it comes from. */
  readonly headers?: Readonly<Record<string, string>>;
}

export type SignedClient = Awaited<ReturnType<typeof openSignedClient>>;

/** Reads the config of the server at `url` and makes keys. */
export async function openSignedClient(url: string, parts: SignedClientParts = {}) {
  const send: typeof fetch = Object.assign(
    (input: string | URL | Request, init?: RequestInit) =>
      fetch(input, { ...init, headers: { ...(init?.headers as object), ...parts.headers } }),
    { preconnect: fetch.preconnect },
  );
  const api: ClientApi = createClientApi({ url, fetch: send });
  const config: ClientConfig = await api.config();
  const loginKey = parts.loginKey ?? generateEd25519();
  const deviceKey = parts.deviceKey ?? generateEd25519();
  const clock = parts.clock ?? systemClock;
  const scope = { accountId: config.accountId, origin: config.origin };

  async function freshRequest() {
    return { challenge: (await api.challenge()).challenge, timeSeconds: nowSeconds(clock) };
  }

  /** A registration with everything in order, but for `bent`. */
  async function registration(
    proof: LoginProof,
    bent: Partial<RegisterRequest> = {},
    signed: Record<string, string | number> = {},
  ): Promise<RegisterRequest> {
    const fresh = await freshRequest();
    const bytes = signedBytes("register", scope, {
      challenge: fresh.challenge,
      loginKey: loginKey.publicKey,
      deviceKey: deviceKey.publicKey,
      proofHash: proofHash(proof),
      timeSeconds: fresh.timeSeconds,
      ...signed,
    });
    return {
      ...fresh,
      loginKey: loginKey.publicKey,
      deviceKey: deviceKey.publicKey,
      proof,
      facts,
      loginSignature: signEd25519(loginKey, bytes),
      deviceSignature: signEd25519(deviceKey, bytes),
      ...bent,
    };
  }

  async function certificateRequest(
    order: {
      proof: LoginProof;
      devicePeerId: string;
      target: string;
      localUser?: string;
      accessReason?: string;
    },
    bent: Partial<CertificateRequest> = {},
  ): Promise<CertificateRequest> {
    const fresh = await freshRequest();
    const { proof, devicePeerId, target, localUser = "", accessReason } = order;
    const reason = accessReason === undefined ? {} : { accessReason };
    const bytes = signedBytes("mint", scope, {
      challenge: fresh.challenge,
      loginKey: loginKey.publicKey,
      devicePeerId,
      proofHash: proofHash(proof),
      target,
      localUser,
      ...reason,
      timeSeconds: fresh.timeSeconds,
    });
    return {
      ...fresh,
      loginKey: loginKey.publicKey,
      devicePeerId,
      proof,
      target,
      localUser,
      ...reason,
      loginSignature: signEd25519(loginKey, bytes),
      deviceSignature: signEd25519(deviceKey, bytes),
      ...bent,
    };
  }

  async function enrolment(
    order: { name: string; setupKey?: string; proof?: LoginProof },
    bent: Partial<EnrolRequest> = {},
  ): Promise<EnrolRequest> {
    const fresh = await freshRequest();
    const hostKeys = [sshBlobOfEd25519(deviceKey.publicKey).toString("base64")];
    const { name, setupKey, proof } = order;
    const credentialHash = proof === undefined ? sha256(setupKey ?? "") : proofHash(proof);
    const bytes = signedBytes("enrol", scope, {
      challenge: fresh.challenge,
      deviceKey: deviceKey.publicKey,
      hostKeys: hostKeys.join(" "),
      name,
      credentialHash,
      timeSeconds: fresh.timeSeconds,
    });
    return {
      ...fresh,
      deviceKey: deviceKey.publicKey,
      hostKeys,
      credential:
        proof !== undefined
          ? {
              kind: "login",
              loginKey: loginKey.publicKey,
              proof,
              loginSignature: signEd25519(loginKey, bytes),
            }
          : setupKey !== undefined
            ? { kind: "setup_key", setupKey }
            : { kind: "device_key" },
      name,
      facts: { ...facts, hostname: name },
      deviceSignature: signEd25519(deviceKey, bytes),
      ...bent,
    };
  }

  return {
    api,
    config,
    scope,
    loginKey,
    deviceKey,
    registration,
    certificateRequest,
    enrolment,
    /** Signs in by code and PKCE; the browser walks the provider's forms. */
    signIn: async (who: Credentials, extra: Record<string, string> = {}): Promise<LoginProof> => ({
      kind: "id_token",
      idToken: await loopbackIdToken(config, loginKey, who, extra),
    }),
    register: async (proof: LoginProof): Promise<RegisterResponse> =>
      api.registerDevice(await registration(proof)),
    mint: async (order: Parameters<typeof certificateRequest>[0]): Promise<CertificateResponse> =>
      api.certificate(await certificateRequest(order)),
    /** Asks for an API token; `bent` replaces fields after they were signed. */
    apiToken: async (
      order: { proof: LoginProof; devicePeerId: string },
      bent: Partial<ApiTokenRequest> = {},
    ): Promise<ApiTokenResponse> => {
      const fresh = await freshRequest();
      const { proof, devicePeerId } = order;
      const bytes = signedBytes("api-token", scope, {
        challenge: fresh.challenge,
        loginKey: loginKey.publicKey,
        devicePeerId,
        proofHash: proofHash(proof),
        timeSeconds: fresh.timeSeconds,
      });
      return api.apiToken({
        ...fresh,
        loginKey: loginKey.publicKey,
        devicePeerId,
        proof,
        loginSignature: signEd25519(loginKey, bytes),
        deviceSignature: signEd25519(deviceKey, bytes),
        ...bent,
      });
    },
    enrol: async (order: Parameters<typeof enrolment>[0]): Promise<EnrolResponse> =>
      api.enrolMachine(await enrolment(order)),
    async logout(): Promise<void> {
      const fresh = await freshRequest();
      const bytes = signedBytes("logout", scope, {
        challenge: fresh.challenge,
        loginKey: loginKey.publicKey,
        timeSeconds: fresh.timeSeconds,
      });
      await api.logout({
        ...fresh,
        loginKey: loginKey.publicKey,
        loginSignature: signEd25519(loginKey, bytes),
      });
    },
  };
}

async function loopbackIdToken(
  config: ClientConfig,
  loginKey: Ed25519Key,
  who: Credentials,
  extra: Record<string, string>,
): Promise<string> {
  const issuer = new URL(config.oidc.issuer);
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
  const client = { client_id: extra.client_id ?? config.oidc.clientId };
  const verifier = oauth.generateRandomCodeVerifier();
  const url = new URL(server.authorization_endpoint ?? "");
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: LOOPBACK_REDIRECT,
    response_type: "code",
    scope: config.oidc.scope,
    state: "state",
    nonce: nonceOf(sshBlobOfEd25519(loginKey.publicKey)),
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    prompt: "login",
    ...extra,
  }).toString();
  const browser = createBrowser({ stopAt: (to) => to.startsWith(LOOPBACK_REDIRECT) });
  const callback = await walkForms(browser, await browser.open(url.href), who);
  const parameters = oauth.validateAuthResponse(server, client, new URL(callback.url), "state");
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    parameters,
    LOOPBACK_REDIRECT,
    verifier,
    insecure,
  );
  const tokens = await oauth.processGenericTokenEndpointResponse(server, client, response);
  return tokens.id_token ?? "";
}

/** Fills in each page's first form until there is none. */
export async function walkForms(
  browser: ReturnType<typeof createBrowser>,
  start: BrowserPage,
  who: Credentials,
): Promise<BrowserPage> {
  let page = start;
  for (let i = 0; i < 8; i++) {
    const form = formsOf(page)[0];
    if (form === undefined || page.status >= 400) return page;
    const values = Object.fromEntries(Object.entries(who).filter(([name]) => name in form.fields));
    page = await browser.submit(page, values);
  }
  return page;
}
