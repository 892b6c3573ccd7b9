/**
 * An issuer that publishes keys and signs whatever it is told to, right or wrong: for tests of what is
 * believed. Its keys can be changed while it runs.
 */
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, type JWTPayload, SignJWT } from "jose";

export interface StaticIssuer {
  readonly url: string;
  /** How often its keys were asked for. */
  fetches(): number;
  /** A key more, published from now on. The newest signs. */
  addKey(kid: string): Promise<void>;
  /** No longer published, still able to sign. */
  hideKey(kid: string): void;
  sign(claims: JWTPayload, header?: { kid?: string; typ?: string }): Promise<string>;
  stop(): Promise<void>;
}

export async function startStaticIssuer(): Promise<StaticIssuer> {
  const keys = new Map<string, GenerateKeyPairResult & { shown: boolean }>();
  let newest = "";
  let fetches = 0;
  const server: Bun.Server<undefined> = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request): Promise<Response> {
      const issuer = `http://127.0.0.1:${server.port}`;
      if (new URL(request.url).pathname === "/jwks") {
        fetches += 1;
        const published = [...keys].filter(([, key]) => key.shown);
        const list = published.map(async ([kid, key]) => ({
          ...(await exportJWK(key.publicKey)),
          kid,
          use: "sig",
        }));
        // A provider may publish what we have no use for.
        return Response.json({ keys: [{ kty: "oct", k: "c2VjcmV0" }, ...(await Promise.all(list))] });
      }
      return Response.json({
        issuer,
        authorization_endpoint: `${issuer}/auth`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
      });
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  return {
    url,
    fetches: () => fetches,
    async addKey(kid) {
      keys.set(kid, { ...(await generateKeyPair("ES256", { extractable: true })), shown: true });
      newest = kid;
    },
    hideKey(kid) {
      const key = keys.get(kid);
      if (key !== undefined) key.shown = false;
    },
    async sign(claims, { kid = newest, typ = "JWT" } = {}) {
      const key = keys.get(kid) ?? keys.get(newest);
      if (key === undefined) throw new Error("no key");
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT({ iss: url, aud: "qf", sub: "corp|1", iat: now, exp: now + 600, ...claims })
        .setProtectedHeader({ alg: "ES256", kid, typ })
        .sign(key.privateKey);
    },
    stop: () => server.stop(true),
  };
}
