/**
 * The process of `provider.ts`: an OpenID provider that behaves as `ProviderSetup` says, over real HTTP.
 *
 * Its first line of stdin is `{setup, port, tls}`; it prints `{origin}` and ends when stdin does.
 * `/control` takes changes of the setup, `/control/seen` says what was asked. Whoever comes is signed in
 * without a question.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, verify } from "node:crypto";
import { SignJWT } from "jose";
import type {
  ClientAuthMethod,
  ProviderClient,
  ProviderEndpoint,
  ProviderSeen,
  ProviderSetup,
  SigningAlgorithm,
} from "./provider-setup.ts";

interface Start {
  readonly setup: ProviderSetup;
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string } | null;
}

interface Grant {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly nonce: string | undefined;
  readonly challenge: string | undefined;
}

/** HS256 is signed with a client's secret; the pair of it is never used nor shown. */
const KEY_OPTIONS: Record<SigningAlgorithm, () => { privateKey: KeyObject; publicKey: KeyObject }> = {
  HS256: () => generateKeyPairSync("ed25519"),
  RS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  PS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  RS512: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  ES384: () => generateKeyPairSync("ec", { namedCurve: "P-384" }),
  EdDSA: () => generateKeyPairSync("ed25519"),
};

const reader = Bun.stdin.stream().getReader();
const start = JSON.parse(await firstLine()) as Start;
let setup = start.setup;
let keys = [newKey(setup.algorithm)];
const grants = new Map<string, Grant>();
const accessTokens = new Map<string, string>();
let seen: ProviderSeen = { authorizations: [], tokens: [], discoveries: 0, jwks: 0, userInfos: 0 };

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: start.port,
  ...(start.tls === null ? {} : { tls: start.tls }),
  fetch: (request) => route(request),
});
const scheme = start.tls === null ? "http" : "https";
const origin = `${scheme}://127.0.0.1:${server.port}`;
process.stdout.write(`${JSON.stringify({ origin })}\n`);
while (!(await reader.read()).done);
process.exit(0);

async function firstLine(): Promise<string> {
  let text = "";
  while (!text.includes("\n")) {
    const { done, value } = await reader.read();
    if (done) throw new Error("no setup");
    text += new TextDecoder().decode(value);
  }
  return text.split("\n")[0] ?? "";
}

function newKey(algorithm: SigningAlgorithm) {
  const { privateKey, publicKey } = KEY_OPTIONS[algorithm]();
  const kid = randomBytes(6).toString("hex");
  return { algorithm, kid, privateKey, jwk: { ...publicKey.export({ format: "jwk" }), use: "sig" } };
}

/** Where the provider itself is: the issuer without its final slash. */
function base(): string {
  return `${origin}${setup.issuerPath}`.replace(/\/$/, "");
}

async function route(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname.startsWith("/control")) return control(pathname, request);
  const root = new URL(base()).pathname.replace(/\/$/, "");
  switch (pathname.slice(root.length)) {
    case "/.well-known/openid-configuration":
      seen = { ...seen, discoveries: seen.discoveries + 1 };
      return instead("discovery", () => Response.json(discovery()));
    case "/jwks":
      seen = { ...seen, jwks: seen.jwks + 1 };
      return instead("jwks", () =>
        Response.json({ keys: setup.algorithm === "HS256" ? [] : keys.map(published) }),
      );
    case "/auth":
      return authorize(searchParams);
    case "/token":
      return instead("token", async () => token(request), request);
    case "/userinfo":
      seen = { ...seen, userInfos: seen.userInfos + 1 };
      return instead("userinfo", () => userInfo(request));
    default:
      return new Response("nothing here\n", { status: 404 });
  }
}

async function control(pathname: string, request: Request): Promise<Response> {
  if (pathname === "/control/seen") return Response.json(seen);
  if (pathname === "/control/rotate") {
    // The old key goes at once, as with providers that publish one key.
    keys = [newKey(setup.algorithm)];
    return Response.json({});
  }
  const change = (await request.json()) as Partial<ProviderSetup>;
  const algorithm = change.algorithm ?? setup.algorithm;
  if (algorithm !== keys[0]?.algorithm) keys = [newKey(algorithm)];
  setup = { ...setup, ...change };
  seen = { authorizations: [], tokens: [], discoveries: 0, jwks: 0, userInfos: 0 };
  return Response.json({});
}

/** The answer that the setup has for this endpoint, after its delay; else the true one. */
async function instead(
  endpoint: ProviderEndpoint,
  truth: () => Response | Promise<Response>,
  request?: Request,
): Promise<Response> {
  const delayMs = setup.delayMs[endpoint];
  if (delayMs !== undefined) await Bun.sleep(delayMs);
  const answer = setup.answers[endpoint];
  if (answer === undefined) return truth();
  if (endpoint === "token" && request !== undefined) await noteToken(request, answer.status);
  const { body, status } = answer;
  return typeof body === "string" ? new Response(body, { status }) : Response.json(body, { status });
}

function discovery(): Record<string, unknown> {
  const methods = new Set(setup.clients.flatMap(({ auth }) => auth));
  const truth: Record<string, unknown> = {
    issuer: `${origin}${setup.issuerPath}`,
    authorization_endpoint: `${base()}/auth`,
    token_endpoint: `${base()}/token`,
    jwks_uri: `${base()}/jwks`,
    ...(setup.userInfo === null ? {} : { userinfo_endpoint: `${base()}/userinfo` }),
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [setup.algorithm],
    token_endpoint_auth_methods_supported: [...methods],
    ...(setup.issParameter ? { authorization_response_iss_parameter_supported: true } : {}),
    ...setup.document,
  };
  return Object.fromEntries(Object.entries(truth).filter(([, value]) => value !== null));
}

function published({ jwk, kid }: (typeof keys)[number]): Record<string, unknown> {
  return setup.keyIds ? { ...jwk, kid, alg: setup.algorithm } : jwk;
}

function authorize(parameters: URLSearchParams): Response {
  const asked = Object.fromEntries(parameters);
  seen = { ...seen, authorizations: [...seen.authorizations, asked] };
  const redirectUri = asked.redirect_uri ?? "";
  if (!setup.clients.some(({ id }) => id === asked.client_id)) {
    return new Response("unknown client\n", { status: 400 });
  }
  if (!isRegistered(redirectUri)) return new Response("redirect_uri mismatch\n", { status: 400 });
  const refused = setup.refusedParameters.find((one) => {
    const [name = "", value] = one.split("=");
    return asked[name] === value;
  });
  if (refused !== undefined) return new Response(`Invalid parameter value: ${refused}\n`, { status: 400 });
  const back = new URL(redirectUri);
  back.searchParams.set("state", asked.state ?? "");
  if (setup.issParameter) back.searchParams.set("iss", `${origin}${setup.issuerPath}`);
  const error = asked.prompt === "none" ? { error: "login_required" } : setup.authorizationError;
  if (error !== null) {
    for (const [name, value] of Object.entries(error)) back.searchParams.set(name, value);
    return Response.redirect(back.href, 302);
  }
  const code = randomBytes(16).toString("hex");
  grants.set(code, {
    clientId: asked.client_id ?? "",
    redirectUri,
    nonce: asked.nonce,
    challenge: asked.code_challenge,
  });
  back.searchParams.set("code", code);
  return Response.redirect(back.href, 302);
}

function isRegistered(redirectUri: string): boolean {
  if (setup.redirectUris.includes(redirectUri)) return true;
  const url = URL.parse(redirectUri);
  if (url === null || !setup.anyLoopbackPort || url.protocol !== "http:") return false;
  if (url.hostname !== "127.0.0.1" && url.hostname !== "localhost") return false;
  url.port = "";
  return setup.redirectUris.includes(url.href);
}

interface Asking {
  readonly form: URLSearchParams;
  readonly method: ClientAuthMethod;
  readonly clientId: string;
  readonly secret: string | undefined;
}

async function readAsking(request: Request): Promise<Asking> {
  const form = new URLSearchParams(await request.text());
  const basic = /^Basic (\S+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
  if (basic !== undefined) {
    const [id = "", secret = ""] = Buffer.from(basic, "base64").toString().split(":");
    const plain = (text: string) => decodeURIComponent(text.replaceAll("+", "%20"));
    return { form, method: "client_secret_basic", clientId: plain(id), secret: plain(secret) };
  }
  const clientId = form.get("client_id") ?? "";
  if (form.has("client_assertion")) return { form, method: "private_key_jwt", clientId, secret: undefined };
  const secret = form.get("client_secret") ?? undefined;
  return { form, method: secret === undefined ? "none" : "client_secret_post", clientId, secret };
}

async function noteToken(request: Request, status: number): Promise<Asking> {
  const asking = await readAsking(request);
  note(asking, status);
  return asking;
}

function note({ method, clientId, form }: Asking, status: number): void {
  const token = { method, clientId, form: Object.fromEntries(form), status };
  seen = { ...seen, tokens: [...seen.tokens, token] };
}

async function token(request: Request): Promise<Response> {
  const asking = await readAsking(request);
  const client = setup.clients.find(({ id }) => id === asking.clientId);
  if (client === undefined || !isAuthentic(client, asking)) {
    note(asking, 401);
    const error_description = "Client authentication failed (unknown client or unsupported method)";
    return Response.json({ error: "invalid_client", error_description }, { status: 401 });
  }
  const code = asking.form.get("code") ?? "";
  const grant = grants.get(code);
  grants.delete(code);
  const verifier = createHash("sha256")
    .update(asking.form.get("code_verifier") ?? "")
    .digest("base64url");
  const isGood =
    grant?.clientId === client.id &&
    grant.redirectUri === asking.form.get("redirect_uri") &&
    (grant.challenge === undefined || grant.challenge === verifier);
  note(asking, isGood ? 200 : 400);
  if (!isGood) {
    return Response.json({ error: "invalid_grant", error_description: "Code not valid" }, { status: 400 });
  }
  const accessToken = randomBytes(24).toString("base64url");
  const idToken = await sign(idClaims(grant, client, accessToken));
  accessTokens.set(accessToken, String(idClaims(grant, client, accessToken).sub));
  return Response.json({ access_token: accessToken, token_type: "Bearer", id_token: idToken });
}

function isAuthentic(client: ProviderClient, { method, secret, form }: Asking): boolean {
  if (!client.auth.includes(method)) return false;
  if (method === "none") return true;
  if (method !== "private_key_jwt") return secret === client.secret;
  const [header = "", payload = "", signature = ""] = (form.get("client_assertion") ?? "").split(".");
  const { alg } = JSON.parse(Buffer.from(header, "base64url").toString()) as { alg?: string };
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as Record<string, unknown>;
  if (client.jwk === undefined || alg !== "RS256" || claims.iss !== client.id || claims.sub !== client.id)
    return false;
  const key = { key: client.jwk, format: "jwk" } as Parameters<typeof verify>[2];
  return verify("sha256", Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, "base64url"));
}

function idClaims(grant: Grant, client: ProviderClient, accessToken: string): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  // Half of the digest that goes with the algorithm; none of these tests needs another than SHA-256's.
  const hash = createHash("sha256").update(accessToken).digest().subarray(0, 16).toString("base64url");
  const claims: Record<string, unknown> = {
    iss: `${origin}${setup.issuerPath}`,
    aud: client.id,
    iat: now,
    exp: now + 300,
    auth_time: now,
    ...(setup.nonce && grant.nonce !== undefined ? { nonce: grant.nonce } : {}),
    ...(setup.atHash ? { at_hash: hash } : {}),
    ...setup.claims,
  };
  return Object.fromEntries(
    Object.entries(claims).flatMap(([name, value]) => (value === null ? [] : [[name, timed(value, now)]])),
  );
}

/** "now", "now+40", "now-40" as seconds; everything else as it is. */
function timed(value: unknown, now: number): unknown {
  const match = typeof value === "string" ? /^now([+-]\d+)?$/.exec(value) : null;
  return match === null ? value : now + Number(match[1] ?? "0");
}

function sign(claims: Record<string, unknown>): Promise<string> {
  const key = keys[0];
  if (key === undefined) throw new Error("no key");
  const header = { alg: setup.algorithm, ...(setup.keyIds ? { kid: key.kid } : {}), typ: "JWT" };
  const secret = Buffer.from(setup.clients[0]?.secret ?? "a secret that a public client does not have");
  return new SignJWT(claims)
    .setProtectedHeader(header)
    .sign(setup.algorithm === "HS256" ? secret : key.privateKey);
}

function userInfo(request: Request): Response {
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
  const sub = accessTokens.get(bearer);
  if (setup.userInfo === null || sub === undefined) {
    return Response.json({ error: "invalid_token" }, { status: 401 });
  }
  return Response.json({ sub, ...setup.userInfo });
}
