/**
 * Management and identity provider for the client's tests, in one process on loopback: answers
 * `/client/v1` and runs one OIDC provider, as little as a client can tell. It checks every signature.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { type Ed25519Key, generateEd25519, signEd25519, verifyEd25519 } from "../../src/base/ed25519.ts";
import { newId, sha256 } from "../../src/base/random.ts";
import type {
  CertificateResponse,
  LoginProof,
  RegisterRequest,
  TargetInfo,
} from "../../src/wire/client-api.ts";
import type { ClientConfig } from "../../src/wire/client-config.ts";
import type { HostedLoginRequest } from "../../src/wire/hosted-login-api.ts";
import { signedBytes } from "../../src/wire/signed-fields.ts";

export interface FakeManagement {
  readonly url: string;
  readonly accountId: string;
  /** Changed by a test before it begins. */
  readonly config: {
    oidc: Partial<ClientConfig["oidc"]>;
    confirmation: "code" | "click";
    loginSecondsMax: number;
  };
  /** What the provider puts into its next ID tokens, over the truth. */
  readonly claims: Record<string, unknown>;
  /** Sign ID tokens by a key that is not in the JWKS. */
  forge: boolean;
  /** Authorization requests seen, in order. */
  readonly authorizations: URLSearchParams[];
  readonly registrations: RegisterRequest[];
  readonly hosted: HostedLoginRequest[];
  /** Login keys that were logged out. */
  readonly loggedOut: string[];
  /** Answers of the next certificate requests; when used up: issued. */
  readonly answers: (CertificateResponse | { failure: string; status: number })[];
  readonly certificates: {
    target: string;
    localUser: string;
    loginKey: string;
    proof: LoginProof;
    accessReason?: string;
  }[];
  /** Why hosted sign-ins have failed. Null: they have not. */
  failure: { code: string; message: string; hint?: string } | null;
  /** The code that a hosted page shows; null: not confirmed yet. */
  code: string | null;
  binding: "idp" | "ca";
  target: TargetInfo;
  /** A browser that opens the page at `url`: its cookie, and where it is sent on to. */
  begin(url: string): Promise<{ cookie: string; authorization: URL }>;
  /** A browser: signs in at `url` and comes back. Resolves to the page at the end. */
  visit(url: string): Promise<Response>;
  close(): void;
}

/** Starts it on 127.0.0.1. */
export function startFakeManagement(): FakeManagement {
  const key = generateEd25519();
  const codes = new Map<string, { nonce: string; challenge: string; redirectUri: string }>();
  const challenges = new Set<string>();
  const accountId = newId();
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: (request) => route(request) });
  const url = `http://127.0.0.1:${server.port}`;
  const fake: FakeManagement = {
    url,
    accountId,
    config: { oidc: {}, confirmation: "code", loginSecondsMax: 43_200 },
    claims: {},
    forge: false,
    authorizations: [],
    registrations: [],
    hosted: [],
    loggedOut: [],
    answers: [],
    certificates: [],
    failure: null,
    code: null,
    binding: "idp",
    target: {
      peerId: newId(),
      name: "web1",
      address: "100.64.0.9",
      hostKeys: [],
      direct: [],
      connected: true,
      sshServer: true,
      machineIdentity: false,
    },
    begin: async (start) => {
      const begun = await fetch(start, { redirect: "manual" });
      const cookie = begun.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
      return { cookie, authorization: new URL(begun.headers.get("location") ?? "about:blank") };
    },
    visit: async (start) => {
      const { cookie, authorization } = await fake.begin(start);
      const back = await fetch(authorization, { redirect: "manual" });
      return fetch(back.headers.get("location") ?? "about:blank", { headers: { cookie } });
    },
    close: () => void server.stop(true),
  };

  async function route(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname.startsWith("/client/v1/")) return client(pathname.slice(11), request);
    if (pathname === "/idp/.well-known/openid-configuration") return Response.json(discovery(url));
    if (pathname === "/idp/jwks") return Response.json({ keys: [jwkOf(key)] });
    if (pathname === "/idp/auth") return authorize(searchParams);
    if (pathname === "/idp/token") return token(new URLSearchParams(await request.text()));
    return Response.json(
      { code: 404, message: "there is nothing here", error: "ERR_NOT_FOUND" },
      { status: 404 },
    );
  }

  function authorize(parameters: URLSearchParams): Response {
    fake.authorizations.push(parameters);
    const redirectUri = parameters.get("redirect_uri") ?? "";
    const code = newId();
    codes.set(code, {
      nonce: parameters.get("nonce") ?? "",
      challenge: parameters.get("code_challenge") ?? "",
      redirectUri,
    });
    const back = new URL(redirectUri);
    back.searchParams.set("code", code);
    back.searchParams.set("state", parameters.get("state") ?? "");
    return Response.redirect(back.href, 302);
  }

  function token(form: URLSearchParams): Response {
    const known = codes.get(form.get("code") ?? "");
    codes.delete(form.get("code") ?? "");
    const verifier = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (known?.challenge !== verifier || known.redirectUri !== form.get("redirect_uri")) {
      return Response.json({ error: "invalid_grant" }, { status: 400 });
    }
    const now = Math.floor(performance.timeOrigin / 1000 + performance.now() / 1000);
    const claims = { iss: `${url}/idp`, sub: "ada", aud: "qufabric-cli", iat: now, exp: now + 300 };
    const idToken = jws(fake.forge ? generateEd25519() : key, {
      ...claims,
      auth_time: now,
      nonce: known.nonce,
      ...fake.claims,
    });
    return Response.json({ access_token: newId(), token_type: "Bearer", id_token: idToken });
  }

  async function client(path: string, request: Request): Promise<Response> {
    if (path === "config") return Response.json(configOf(fake));
    if (path === "relay") return new Response("no relay here\n", { status: 503 });
    const body = await request.json();
    if (path === "challenges") {
      const challenge = sha256(newId());
      challenges.add(challenge);
      return Response.json({ challenge, expiresAtSeconds: 4_000_000_000 });
    }
    if (path === "hosted") return openHosted(body);
    if (/^hosted\/[a-z0-9]+\/claim$/.test(path)) return claimHosted(body);
    if (!challenges.delete(body.challenge)) return failure("ERR_BAD_REQUEST", 400);
    if (path === "devices") return register(body);
    if (path === "certificates") return certificate(body);
    if (path === "logout") {
      fake.loggedOut.push(body.loginKey);
      return Response.json({});
    }
    return failure("ERR_NOT_FOUND", 404);
  }

  function openHosted(body: HostedLoginRequest): Response {
    fake.hosted.push(body);
    const id = newId();
    const { confirmation } = fake.config;
    return Response.json({
      id,
      url: `${url}/login/${id}`,
      pollSecret: "s",
      confirmation,
      expiresAtSeconds: 4_000_000_000,
    });
  }

  function claimHosted(body: { code?: string }): Response {
    if (fake.failure !== null) return Response.json({ status: "denied", ...fake.failure });
    if (fake.code === null) return Response.json({ status: "waiting" });
    if (fake.code === "denied") return Response.json({ status: "denied" });
    if (fake.config.confirmation === "code" && body.code !== fake.code) {
      return Response.json({ status: "wrong_code", triesLeft: 2 });
    }
    return Response.json({ status: "approved", proof: { kind: "claimed", loginId: newId() } });
  }

  function register(body: RegisterRequest): Response {
    fake.registrations.push(body);
    const { challenge, loginKey, deviceKey, timeSeconds } = body;
    const bytes = signedBytes(
      "register",
      { accountId, origin: url },
      {
        challenge,
        loginKey,
        deviceKey,
        proofHash: hashOf(body.proof),
        timeSeconds,
      },
    );
    const isProven =
      verifyEd25519(loginKey, bytes, body.loginSignature) &&
      verifyEd25519(deviceKey, bytes, body.deviceSignature);
    if (!isProven) return failure("ERR_TOKEN_INVALID", 401);
    return Response.json({
      peerId: peerIdOf(deviceKey),
      name: "laptop",
      address: "100.64.0.3",
      user: { id: newId(), name: "Ada", email: "ada@example.com" },
      loginId: newId(),
      binding: fake.binding,
      loginUntilSeconds: 4_000_000_000,
      deviceStatus: "active",
    });
  }

  function certificate(body: {
    challenge: string;
    loginKey: string;
    devicePeerId: string;
    proof: LoginProof;
    target: string;
    localUser: string;
    timeSeconds: number;
    accessReason?: string;
    loginSignature: string;
    deviceSignature: string;
  }): Response {
    const { challenge, loginKey, devicePeerId, target, localUser, accessReason, timeSeconds, proof } = body;
    const fields = {
      challenge,
      loginKey,
      devicePeerId,
      proofHash: hashOf(proof),
      target,
      localUser,
      ...(accessReason === undefined ? {} : { accessReason }),
      timeSeconds,
    };
    const bytes = signedBytes("mint", { accountId, origin: url }, fields);
    if (!verifyEd25519(loginKey, bytes, body.loginSignature)) return failure("ERR_TOKEN_INVALID", 401);
    fake.certificates.push({
      target,
      localUser,
      loginKey,
      proof,
      ...(accessReason === undefined ? {} : { accessReason }),
    });
    const answer = fake.answers.shift();
    if (answer !== undefined && "failure" in answer) return failure(answer.failure, answer.status);
    if (answer !== undefined) return Response.json(answer);
    return Response.json({
      outcome: "issued",
      certificate: Buffer.from(`certificate for ${loginKey}`).toString("base64"),
      target: fake.target,
      principals: ["*"],
      validUntilSeconds: 4_000_000_000,
    });
  }

  return fake;
}

function configOf({ url, accountId, config }: FakeManagement): ClientConfig {
  return {
    protocolVersion: 1,
    accountId,
    origin: url,
    domain: "qf.internal",
    oidc: {
      issuer: `${url}/idp`,
      clientId: "qufabric-cli",
      scope: "openid",
      loopback: true,
      promptLogin: true,
      ...config.oidc,
    },
    loginConfirmation: config.confirmation,
    loginSecondsMax: config.loginSecondsMax,
  };
}

function discovery(url: string) {
  return {
    issuer: `${url}/idp`,
    authorization_endpoint: `${url}/idp/auth`,
    token_endpoint: `${url}/idp/token`,
    jwks_uri: `${url}/idp/jwks`,
    response_types_supported: ["code"],
    id_token_signing_alg_values_supported: ["EdDSA"],
  };
}

function jwkOf(key: Ed25519Key) {
  return { kty: "OKP", crv: "Ed25519", x: key.publicKey, kid: "1", alg: "EdDSA", use: "sig" };
}

function jws(key: Ed25519Key, claims: Record<string, unknown>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "EdDSA", kid: "1" })}.${part(claims)}`;
  return `${signed}.${signEd25519(key, Buffer.from(signed))}`;
}

function hashOf(proof: LoginProof): string {
  if (proof.kind === "id_token") return sha256(proof.idToken);
  return sha256(proof.kind === "claimed" ? proof.loginId : proof.token);
}

function peerIdOf(deviceKey: string): string {
  return createHash("sha256").update(deviceKey).digest("hex").slice(0, 20);
}

function failure(error: string, status: number): Response {
  return Response.json(
    { code: status, message: `refused with ${error}`, error, hint: "do better" },
    { status },
  );
}
