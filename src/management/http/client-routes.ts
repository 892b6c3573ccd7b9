/**
 * Routes under /client/v1, which people's devices and new machines call. No cookies and no API tokens: each
 * request that matters carries its own proofs. `wire/client-api.ts` has the shapes and says what is signed.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import type { ZodType } from "zod";
import type { Clock } from "../../base/clock.ts";
import { FAILURES, isQfError, QfError } from "../../base/errors.ts";
import { SAFE_HEADERS } from "../../base/html.ts";
import type { Log } from "../../base/log.ts";
import { ApiTokenRequest } from "../../wire/api-token.ts";
import {
  type ApiFailure,
  CertificateRequest,
  LogoutRequest,
  NamesRequest,
  RegisterRequest,
  TargetRequest,
} from "../../wire/client-api.ts";
import type { ClientConfig } from "../../wire/client-config.ts";
import { EnrolRequest } from "../../wire/enrolment.ts";
import { HostedClaimRequest, HostedLoginRequest } from "../../wire/hosted-login-api.ts";
import { HostedLoginId } from "../../wire/units.ts";
import { PROTOCOL_VERSION } from "../../wire/version.ts";
import { filled } from "../contracts/settings.ts";
import { createSourceAttempts, type SourceAttempts } from "../idp/attempts.ts";
import { issueApiToken } from "../login/api-token.ts";
import { DenialCause } from "../login/denial.ts";
import { currentAccount, type LoginDeps } from "../login/deps.ts";
import { enrolMachine } from "../login/enrol.ts";
import { openHostedLogin } from "../login/hosted.ts";
import { claimHosted } from "../login/hosted-claim.ts";
import { logout } from "../login/logout.ts";
import { mintCertificate } from "../login/mint.ts";
import { registerDevice } from "../login/register.ts";
import { listNames, lookUpTarget } from "../login/target-lookup.ts";
import { readBody } from "./body.ts";

/** Largest body: a request with the longest ID token fits. */
const BODY_BYTES_MAX = 64 * 1024;
const WINDOW_MS = 60_000;
/** Requests of one source per minute. Enough for a whole office behind one address. */
const LIMITS = {
  challenges: 6_000,
  certificates: 3_000,
  tokens: 600,
  targets: 3_000,
  names: 600,
  devices: 600,
  machines: 600,
  hosted: 50,
  /** Each waiting terminal polls every 1.5 seconds. */
  claims: 6_000,
};

/** What the server knows of a connection: its source address. */
export interface ClientEnv {
  Bindings: { readonly sourceAddress: string };
}

/** A POST route: its rate limit, the shape of its body, and its handler. */
interface PostRoute<B> {
  readonly path: string;
  readonly limit: keyof typeof LIMITS;
  readonly body: ZodType<B>;
  readonly work: (deps: LoginDeps, body: B, sourceAddress: string) => Promise<unknown>;
}

const post = <B>(route: PostRoute<B>): PostRoute<never> => route as unknown as PostRoute<never>;

const POSTS: readonly PostRoute<never>[] = [
  post({ path: "/devices", limit: "devices", body: RegisterRequest, work: registerDevice }),
  post({ path: "/certificates", limit: "certificates", body: CertificateRequest, work: mintCertificate }),
  post({ path: "/tokens", limit: "tokens", body: ApiTokenRequest, work: issueApiToken }),
  post({ path: "/targets", limit: "targets", body: TargetRequest, work: lookUpTarget }),
  post({ path: "/names", limit: "names", body: NamesRequest, work: listNames }),
  post({ path: "/logout", limit: "devices", body: LogoutRequest, work: logout }),
  post({ path: "/hosted", limit: "hosted", body: HostedLoginRequest, work: openHostedLogin }),
  post({ path: "/machines", limit: "machines", body: EnrolRequest, work: enrolMachine }),
];

export function createClientRoutes(deps: LoginDeps) {
  const { ctx } = deps;
  const limit = createLimits(ctx.clock);
  const app = new Hono<ClientEnv>().basePath("/client/v1");
  app.get("/config", async (c) => answer(c, await clientConfig(deps)));
  app.post("/challenges", (c) => {
    limit("challenges", c);
    return answer(c, deps.challenges.issue());
  });
  for (const route of POSTS) {
    app.post(route.path, async (c) => {
      limit(route.limit, c);
      const body = await readBody(c, route.body, BODY_BYTES_MAX);
      return answer(c, ((await route.work(deps, body, c.env.sourceAddress)) ?? {}) as object);
    });
  }
  app.post("/hosted/:id/claim", async (c) => {
    limit("claims", c);
    const id = HostedLoginId.safeParse(c.req.param("id"));
    if (!id.success) throw new QfError("ERR_NOT_FOUND", "this sign-in is over");
    const body = await readBody(c, HostedClaimRequest, BODY_BYTES_MAX);
    return answer(c, await claimHosted(deps, id.data, body));
  });
  app.all("*", () => {
    throw new QfError("ERR_NOT_FOUND", "there is no such request");
  });
  app.onError((error, c) => failure(c, ctx.log, error));
  return app;
}

async function clientConfig({ ctx }: LoginDeps): Promise<ClientConfig> {
  const account = await currentAccount(ctx);
  const settings = filled(account.settings);
  const { issuer, clientId, webClientId, audience, groupsClaim } = ctx.oidc;
  const { scope, loopback, redirectPort, loopbackHost } = ctx.oidc;
  const log = await ctx.logs.identity(account.id);
  return {
    protocolVersion: PROTOCOL_VERSION,
    accountId: account.id,
    origin: ctx.origin,
    domain: account.domain,
    ...(log?.moves === undefined ? {} : { log }),
    oidc: {
      issuer,
      clientId,
      scope,
      loopback,
      redirectPort,
      loopbackHost,
      promptLogin: settings.prompt_login,
      ...(webClientId === clientId ? {} : { webClientId }),
      ...(audience === null ? {} : { audience }),
      ...(groupsClaim === null ? {} : { groupsClaim }),
    },
    loginConfirmation: settings.login_confirmation,
    loginSecondsMax: settings.login_seconds_max,
    nowMs: Math.round(ctx.clock.nowMs()),
  };
}

function createLimits(clock: Clock): (route: keyof typeof LIMITS, c: Context<ClientEnv>) => void {
  const counters = new Map<string, SourceAttempts>(
    Object.entries(LIMITS).map(([route, countMax]) => [
      route,
      createSourceAttempts(clock, { countMax, windowMs: WINDOW_MS }),
    ]),
  );
  return (route, c) => {
    if (counters.get(route)?.take(c.env.sourceAddress) !== false) return;
    throw new QfError("ERR_TOO_MANY", "too many requests from this address", { hint: "wait a minute" });
  };
}

function answer(c: Context, body: object): Response {
  return c.json(body, 200, { ...SAFE_HEADERS });
}

/** Answers with one line for people and a code for machines. Internal details go to the log only. */
function failure(c: Context, log: Log, error: Error): Response {
  const known = isQfError(error) ? error : new QfError("ERR_INTERNAL", "something went wrong in management");
  const status = FAILURES[known.code].httpStatus;
  if (status === 500) log.error("client request failed", { path: c.req.path }, error);
  const body: ApiFailure = {
    code: status,
    message: known.message,
    error: known.code,
    ...(known.hint === undefined ? {} : { hint: known.hint }),
    ...(known.cause instanceof DenialCause ? { reason: known.cause.reason } : {}),
  };
  return c.json(body, status, { ...SAFE_HEADERS });
}
