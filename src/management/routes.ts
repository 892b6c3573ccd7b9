/**
 * The route table of management: which part answers which path.
 *
 * @module
 */
import { nowSeconds } from "../base/clock.ts";
import { QfError } from "../base/errors.ts";
import { fetchIssuerKeys } from "../identity/issuer-document.ts";
import { personClaims } from "../identity/person-claims.ts";
import { tokenRefused } from "../identity/provider-failure.ts";
import { tokenFault } from "../identity/token-fault.ts";
import { withUserInfo } from "../identity/user-info.ts";
import { verifyIdToken } from "../identity/verify.ts";
import { RELAY_AGENT_PATH, RELAY_CLIENT_PATH } from "../wire/relay.ts";
import { WATCH_PATH } from "../wire/session-watch.ts";
import { TERMINAL_RELAY_PATH, TERMINAL_TICKETS_PATH } from "../wire/terminal-page.ts";
import { DASHBOARD_SIGN_IN_PATH } from "../wire/web-session.ts";
import { trustOf } from "./ca/key-ring.ts";
import { seal, unseal } from "./ca/seal.ts";
import type { ManagementContext } from "./contracts/context.ts";
import type { OutletDesk } from "./contracts/outlet-desk.ts";
import type { Recordings } from "./contracts/recordings.ts";
import { updateAccount } from "./db/tables/accounts.ts";
import { isSetupLinkOpen, useSetupLink } from "./db/tables/sign-in.ts";
import { createAdminApp } from "./http/admin/app.ts";
import { createClientRoutes } from "./http/client-routes.ts";
import { createLive } from "./http/dashboard/live.ts";
import { requireSignInPage } from "./http/dashboard/navigation.ts";
import type { SessionWatch } from "./http/dashboard/session-watch.ts";
import { createDashboardSignIn, DASHBOARD_STATE_PREFIX } from "./http/dashboard/sign-in-routes.ts";
import { createTerminal } from "./http/dashboard/terminal.ts";
import { DOCUMENT_ROUTE } from "./http/document-routes.ts";
import { downloadRoutes } from "./http/download-routes.ts";
import { createHostedRoutes } from "./http/hosted-routes.ts";
import { createPasswordRoutes } from "./http/password-routes.ts";
import { recordingUploadRoutes } from "./http/recording-routes.ts";
import type { Route } from "./http/request-entry.ts";
import { createSetupRoutes, SETUP_STATE_PREFIX, type SetupIdentity } from "./http/setup-routes.ts";
import { PASSWORD_PATH } from "./idp/password-change.ts";
import { createRelyingParty, type HostedTokens, type RelyingParty } from "./idp/relying-party.ts";
import { createAccount } from "./init.ts";
import { createApprovals } from "./login/approval.ts";
import { createChallenges } from "./login/challenges.ts";
import type { LoginDeps } from "./login/deps.ts";
import { moreClaims } from "./login/more-claims.ts";
import { createRefusals } from "./login/refusals.ts";
import { createReadiness } from "./readiness.ts";
import type { RelayHub } from "./relay/relay-hub.ts";
import type { Releases } from "./releases/releases.ts";
import type { SignInParts } from "./sign-in.ts";
import type { SyncHub } from "./sync/sync-hub.ts";

/** How long a certificate waits until its machine has acknowledged the map it is based on. */
const MAP_WAIT_MS = 1_000;

export interface RouteDeps {
  readonly context: ManagementContext;
  readonly parts: SignInParts;
  readonly hub: SyncHub;
  readonly relay: RelayHub;
  readonly recordings: Recordings;
  readonly watch: SessionWatch;
  readonly masterKey: Uint8Array;
  readonly outlets: OutletDesk;
  /** Where the dashboard is served; its session cookie is accepted only there. */
  readonly dashboardOrigin: string;
  /** Origins whose pages may call the API. */
  readonly corsOrigins: ReadonlySet<string>;
  readonly releases: Releases;
  /** Keys that sign releases, for installers. Empty: none. */
  readonly releaseKeys: readonly string[];
}

/** Every path that is answered; the first matching prefix wins. */
export function createRoutes(deps: RouteDeps): Route[] {
  const { context, parts, hub, relay } = deps;
  const relyingParty = createRelyingParty(parts.oidc, context.clock);
  const login = loginDeps(deps, relyingParty);
  const client = createClientRoutes(login);
  const hosted = createHostedRoutes({ login, relyingParty });
  const pages: ManagementContext = { ...context, origin: deps.dashboardOrigin };
  const dashboard = createDashboardSignIn({ login: { ...login, ctx: pages }, relyingParty });
  hub.serveApprovals(createApprovals(login));
  const admin = createAdminApp({
    ...context,
    isConnected: login.isConnected,
    sessions: (accountId) => hub.sessions(accountId),
    endSession: (peerId, connectionId, text) => hub.kill(peerId, connectionId, text),
    ...adminParts(deps),
  });
  const live = createLive({ ctx: pages, onPresence: (listener) => hub.onPresence(listener) });
  const terminal = createTerminal({ ctx: pages, masterKey: deps.masterKey, relay });
  const setup = setupRoutes(deps, relyingParty);
  const password = createPasswordRoutes({ ...context, passwords: () => parts.passwords() });
  const readiness = createReadiness({ ...context, isOpen: () => hub.isOpen });
  return [
    {
      prefix: RELAY_CLIENT_PATH,
      answer: (request, address, server) => relay.dial(request, server, address),
    },
    {
      prefix: RELAY_AGENT_PATH,
      answer: (request, address, server) => relay.serve(request, server, address),
    },
    { prefix: "/client/v1", answer: (request, sourceAddress) => client.fetch(request, { sourceAddress }) },
    { prefix: TERMINAL_TICKETS_PATH, answer: (request) => terminal.ticket(request) },
    {
      prefix: TERMINAL_RELAY_PATH,
      answer: (request, address, server) => terminal.connect(request, server, address),
    },
    { prefix: "/api/live", answer: (request) => live.answer(request) },
    {
      prefix: "/api",
      answer: (request, _address, server) =>
        WATCH_PATH.test(new URL(request.url).pathname)
          ? deps.watch.answer(request, server)
          : admin.fetch(request),
    },
    ...signInPages({ parts, password, pages: { setup, dashboard, hosted } }),
    ...recordingUploadRoutes(deps.recordings),
    { prefix: "/agent/v1/sync", answer: (request, address, server) => hub.upgrade(request, server, address) },
    ...downloadRoutes({ ...deps, origin: context.origin }),
    DOCUMENT_ROUTE,
    { prefix: "/healthz", answer: () => new Response("ok\n") },
    { prefix: "/readyz", answer: () => readiness.answer() },
  ];
}

type Fetches = (request: Request, env?: { readonly sourceAddress: string }) => Response | Promise<Response>;

interface SignInPages {
  readonly parts: RouteDeps["parts"];
  readonly password: { readonly fetch: Fetches };
  readonly pages: Readonly<Record<"setup" | "dashboard" | "hosted", { readonly fetch: Fetches }>>;
}

/** Pages that sign people in or let them choose a password. */
function signInPages({ parts, password, pages }: SignInPages): Route[] {
  const all: readonly Route[] = [
    {
      prefix: PASSWORD_PATH,
      answer: (request, sourceAddress) => {
        parts.countVisit(request, sourceAddress);
        return password.fetch(request, { sourceAddress });
      },
    },
    { prefix: "/idp", answer: (request, sourceAddress) => parts.forward(request, sourceAddress) },
    {
      prefix: "/login",
      answer: (request, sourceAddress) =>
        pages[signInOf(new URL(request.url))].fetch(request, { sourceAddress }),
    },
    { prefix: "/setup", answer: (request) => pages.setup.fetch(request) },
  ];
  return all.map(forPeople);
}

/** Restricts the route to navigations by a person; scripts of other pages are refused. */
function forPeople(route: Route): Route {
  return {
    ...route,
    answer: (request, sourceAddress, server) => {
      requireSignInPage(request);
      return route.answer(request, sourceAddress, server);
    },
  };
}

/** What the API gets from the rest of management unchanged. */
function adminParts({ dashboardOrigin, corsOrigins, outlets, recordings, parts, releases }: RouteDeps) {
  return { dashboardOrigin, corsOrigins, outlets, recordings, releases, passwords: () => parts.passwords() };
}

/** Which sign-in a request under `/login` belongs to. */
function signInOf({ pathname, searchParams }: URL): "setup" | "dashboard" | "hosted" {
  const state = searchParams.get("state") ?? "";
  if (state.startsWith(SETUP_STATE_PREFIX)) return "setup";
  const isDashboard = state.startsWith(DASHBOARD_STATE_PREFIX) || pathname === DASHBOARD_SIGN_IN_PATH;
  return isDashboard ? "dashboard" : "hosted";
}

function loginDeps({ context, parts, hub, masterKey }: RouteDeps, relyingParty: RelyingParty): LoginDeps {
  return {
    ctx: context,
    challenges: createChallenges({ store: context.store, clock: context.clock, masterKey }),
    refusals: createRefusals(context),
    sealer: {
      seal: (secret, owner) => seal(masterKey, secret, owner),
      unseal: (sealed, owner) => unseal(masterKey, sealed, owner).toString("utf8"),
    },
    isConnected: (peerId) => hub.isConnected(peerId),
    waitForMap: (peerId, version) => hub.waitForAck(peerId, version, MAP_WAIT_MS),
    refreshIssuerKeys: async (source) => (await parts.issuerKeys?.refreshForUnknownKey(source)) ?? false,
    issuerKeysFailure: () => parts.issuerKeys?.lastFailure() ?? null,
    userInfo: relyingParty.userInfo,
  };
}

function setupRoutes(deps: RouteDeps, relyingParty: RelyingParty): ReturnType<typeof createSetupRoutes> {
  const { context, parts } = deps;
  return createSetupRoutes({
    origin: context.origin,
    oidc: parts.oidc,
    log: context.log,
    relyingParty,
    hashPassword: (password) => parts.passwords().hash(password, "owner"),
    isOpen: (hash) => context.store.read((tx) => isSetupLinkOpen(tx, hash)),
    complete: (hash, owner) => completeSetup(deps, hash, owner),
    verify: (tokens, nonceBytes) => verifyOwner(context, relyingParty, { tokens, nonceBytes }),
  });
}

/** The transaction that creates the account also uses up the link, so neither happens alone. */
async function completeSetup(
  { context, parts, masterKey }: RouteDeps,
  linkHash: string,
  owner: Parameters<typeof createAccount>[2],
): Promise<string> {
  const { accountId, token } = await context.store.transaction(async (tx) => {
    if (!(await useSetupLink(tx, linkHash)))
      throw new QfError("ERR_NOT_FOUND", "this link was used or has expired");
    const made = await createAccount(tx, masterKey, owner);
    // The person who opened the link is in a browser, so the dashboard leads through the first steps.
    const onboarding = { signup_form_pending: false, onboarding_flow_pending: true };
    await updateAccount(tx, made.accountId, { onboarding });
    return made;
  });
  await parts.start();
  await context.logs.begin(accountId);
  return token;
}

/**
 * Verifies the future owner's sign-in at the external provider. There is no account yet, so there are no
 * stored provider keys either: they are fetched.
 */
async function verifyOwner(
  { oidc, clock, log }: ManagementContext,
  relyingParty: RelyingParty,
  { tokens, nonceBytes }: { readonly tokens: HostedTokens; readonly nonceBytes: Uint8Array },
): Promise<SetupIdentity> {
  const keys = (await fetchIssuerKeys(oidc.issuer, oidc.fetch)).map(({ jwk }) => jwk);
  const { idToken, accessToken } = tokens;
  const verdict = await verifyIdToken({
    token: idToken,
    issuers: [{ ...trustOf(oidc), keys }],
    nowSeconds: nowSeconds(clock),
    loginSecondsMax: 300,
    loginKeyBlob: nonceBytes,
    mode: "claiming",
  });
  if (!verdict.ok) throw tokenRefused(verdict.fault);
  if (verdict.binding !== "idp") throw tokenRefused(tokenFault("nonce", "one of this page", undefined));
  const asked = { ctx: { oidc, log }, userInfo: relyingParty.userInfo };
  const given = accessToken === null ? undefined : ({ value: accessToken, from: "provider" } as const);
  const more = await moreClaims(asked, verdict, { idToken, accessToken: given });
  const { email = "", name = "" } = personClaims(withUserInfo(verdict.payload, more));
  return { subject: verdict.subject, email, name };
}
