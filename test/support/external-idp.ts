/**
 * Somebody else's identity provider: a process of its own with RS256 keys, another subject format, and
 * its own plain form. `startExternalIdp()` from a test, or by hand: `bun test/support/external-idp.ts`.
 *
 * Prints one JSON line `{issuer, clientId, confidentialClientId, clientSecret}` when ready. Ends when its
 * stdin closes, so that it never outlives the test.
 */
import { generateKeyPairSync } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import { resolve } from "node:path";
import type { JWK, Provider } from "oidc-provider";

export const EXTERNAL_USERS = [
  { email: "grace@corp.example", password: "external horse", sub: "corp|00u1-Grace/7", name: "Grace Hopper" },
  {
    email: "alan@corp.example",
    password: "external staple",
    sub: "corp|00u2-Alan/9",
    name: "Alan <b>Turing</b>",
  },
] as const;

export interface ExternalIdp {
  readonly issuer: string;
  readonly clientId: string;
  readonly confidentialClientId: string;
  readonly clientSecret: string;
  stop(): Promise<void>;
}

/** Starts it and waits until it listens. */
export async function startExternalIdp(): Promise<ExternalIdp> {
  const child = Bun.spawn([process.execPath, resolve(import.meta.dir, "external-idp.ts")], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  const reader = child.stdout.getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { done, value } = await reader.read();
    if (done) throw new Error("the external provider did not start");
    text += new TextDecoder().decode(value);
  }
  const ready = JSON.parse(text) as Omit<ExternalIdp, "stop">;
  return {
    ...ready,
    async stop() {
      child.kill();
      await child.exited;
    },
  };
}

/** Serves until stdin ends. */
async function main(): Promise<void> {
  const { Provider } = await import("oidc-provider");
  let provider: Provider | undefined;
  const server = createServer((req, res) => void provider?.callback()(req, res));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const issuer = `http://127.0.0.1:${port}`;
  const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
  const redirects = ["http://127.0.0.1/callback", "http://127.0.0.1/login/callback"];
  provider = new Provider(issuer, {
    clients: [
      {
        client_id: "corp-qufabric",
        application_type: "native",
        token_endpoint_auth_method: "none",
        redirect_uris: redirects,
      },
      {
        client_id: "corp-web",
        application_type: "native",
        token_endpoint_auth_method: "none",
        redirect_uris: redirects,
      },
      {
        client_id: "corp-confidential",
        client_secret: "a-secret-of-the-corporation",
        application_type: "native",
        redirect_uris: redirects,
      },
    ],
    jwks: { keys: [{ ...key, kid: "corp-1", alg: "RS256", use: "sig" } as JWK] },
    // Some providers say who it is whatever the scope.
    claims: { openid: ["sub", "email", "name"], email: ["email"], profile: ["name"] },
    conformIdTokenClaims: false,
    cookies: { keys: ["a key for tests"] },
    features: { devInteractions: { enabled: false } },
    findAccount: (_ctx, sub) => {
      const user = EXTERNAL_USERS.find((one) => one.sub === sub);
      return user && { accountId: sub, claims: () => ({ sub, email: user.email, name: user.name }) };
    },
    interactions: { url: (_ctx, interaction) => `/sign-in/${interaction.uid}` },
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client?.clientId,
        accountId: ctx.oidc.session?.accountId,
      });
      grant.addOIDCScope("openid profile email");
      await grant.save();
      return grant;
    },
  });
  const op = provider;
  op.use(async (ctx, next) => {
    if (!ctx.path.startsWith("/sign-in/")) return next();
    await op.interactionDetails(ctx.req, ctx.res);
    if (ctx.method !== "POST") {
      ctx.type = "html";
      ctx.body = `<form method="post"><input name="email"><input name="password" type="password"><button>Go</button></form>`;
      return;
    }
    const form = new URLSearchParams(await bodyOf(ctx.req));
    const user = EXTERNAL_USERS.find(
      (one) => one.email === form.get("email") && one.password === form.get("password"),
    );
    if (user === undefined) {
      ctx.status = 401;
      ctx.body = "wrong";
      return;
    }
    ctx.respond = false;
    await op.interactionFinished(ctx.req, ctx.res, { login: { accountId: user.sub }, consent: {} });
  });
  process.stdout.write(
    `${JSON.stringify({
      issuer,
      clientId: "corp-qufabric",
      confidentialClientId: "corp-confidential",
      clientSecret: "a-secret-of-the-corporation",
    })}\n`,
  );
  process.stdin.on("end", () => process.exit(0)).resume();
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of req) text += String(chunk);
  return text;
}

if (import.meta.main) await main();
