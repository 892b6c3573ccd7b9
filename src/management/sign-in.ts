/**
 * Assembly of the sign-in: the embedded provider with its pages, or an external provider; the key ring and
 * issuer keys.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { QfError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { createIssuerKeys, type IssuerKeys } from "./ca/issuer-keys.ts";
import { createKeyRing, type OpenKeyRing, openProviderKeys } from "./ca/key-ring.ts";
import type { OidcSettings } from "./contracts/context.ts";
import type { Store } from "./db/store.ts";
import { listAccounts } from "./db/tables/accounts.ts";
import { systemInitiator } from "./db/tables/audit-events.ts";
import { databaseAccounts, databasePayloads } from "./idp/database.ts";
import { mountInteractions } from "./idp/interactions.ts";
import { createKnownBrowsers } from "./idp/known-browser.ts";
import { openProviderMount, type ProviderMount } from "./idp/mount.ts";
import { createPasswordCheck, type PasswordCheck } from "./idp/passwords.ts";
import { createProvider } from "./idp/provider.ts";
import { type ExternalOidcOptions, embeddedOidc, externalOidc } from "./idp/settings.ts";
import { createVisits } from "./idp/visits.ts";

export interface SignInDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly origin: string;
  /** Origin of the dashboard. */
  readonly dashboardOrigin: string;
  readonly masterKey: Uint8Array;
  /** Mode 0700, held by this process. */
  readonly dataDir: string;
  /** Absent: the embedded provider. */
  readonly external: ExternalOidcOptions | undefined;
}

export interface SignInParts {
  readonly oidc: OidcSettings;
  readonly keys: OpenKeyRing;
  /** Null with the embedded provider. */
  readonly issuerKeys: IssuerKeys | null;
  /**
   * Starts the embedded provider; call it once an account exists. With an external one, starts the refresh of
   * its keys.
   */
  start(): Promise<void>;
  /**
   * Answers `/idp/*`. Throws ERR_NOT_INITIALISED before `start`, ERR_TOO_MANY for a source that sends too
   * many requests.
   */
  forward(request: Request, sourceAddress: string): Promise<Response>;
  /** Limits how often one source requests pages. Throws ERR_TOO_MANY. */
  countVisit(request: Request, sourceAddress: string): void;
  /** Checks passwords of the embedded provider. Throws ERR_NOT_FOUND with an external one. */
  passwords(): PasswordCheck;
  close(): Promise<void>;
}

/** Reads options and files; starts nothing. */
export async function createSignIn(deps: SignInDeps): Promise<SignInParts> {
  return deps.external === undefined
    ? embedded(deps)
    : external(deps, await externalOidc(deps.external, deps.log));
}

function embedded(deps: SignInDeps): SignInParts {
  let mount: ProviderMount | undefined;
  const passwords = createPasswordCheck({
    accounts: databaseAccounts(deps.store),
    clock: deps.clock,
    onFailure: (failure) => noteFailure(deps.store, failure),
  });
  const visits = createVisits(deps.clock);
  const pass = async (request: Request, sourceAddress: string): Promise<Response> => {
    if (mount === undefined) throw new QfError("ERR_NOT_INITIALISED", "this server is not set up yet");
    return mount.forward(request, sourceAddress);
  };
  // We ask on behalf of pages whose visit was counted already.
  const ownFetch = (input: RequestInfo | URL, init?: RequestInit): Promise<Response> =>
    pass(new Request(input, init), "127.0.0.1");
  const oidc = embeddedOidc(deps.origin, Object.assign(ownFetch, { preconnect: () => {} }));
  const keys = createKeyRing({ ...deps, oidc, issuerKeys: null });
  return {
    oidc,
    keys,
    issuerKeys: null,
    async forward(request, sourceAddress) {
      visits.enter(request, sourceAddress);
      return pass(request, sourceAddress);
    },
    async start() {
      keys.forget();
      mount ??= await openEmbeddedProvider(deps, passwords);
    },
    countVisit: (request, sourceAddress) => visits.enter(request, sourceAddress),
    passwords: () => passwords,
    close: async () => mount?.close(),
  };
}

async function openEmbeddedProvider(deps: SignInDeps, passwords: PasswordCheck): Promise<ProviderMount> {
  const accounts = databaseAccounts(deps.store);
  const providerKeys = await openProviderKeys(deps.store, deps.masterKey);
  const provider = await createProvider({
    ...deps,
    ...providerKeys,
    accounts,
    payloads: databasePayloads(deps.store),
  });
  mountInteractions({
    ...deps,
    provider,
    passwords,
    browsers: createKnownBrowsers(providerKeys.cookieKeys, deps.origin),
  });
  return openProviderMount(provider, deps.origin, deps.dataDir);
}

/** Records a failed sign-in. The limits on attempts bound how many there are. */
async function noteFailure(
  store: Store,
  { email, sourceAddress }: { email: string; sourceAddress: string },
): Promise<void> {
  for (const account of await store.read(listAccounts)) {
    const meta = { email, source: sourceAddress, reason: "wrong e-mail or password" };
    const event = { activity: "login.failed" as const, targetId: "", meta };
    await store.change(
      { accountId: account.id, initiator: systemInitiator, events: [event] },
      async () => {},
    );
  }
}

function external(deps: SignInDeps, oidc: OidcSettings): SignInParts {
  const issuerKeys = createIssuerKeys({ ...deps, issuer: oidc.issuer, fetch: oidc.fetch });
  const keys = createKeyRing({ ...deps, oidc, issuerKeys });
  return {
    oidc,
    keys,
    issuerKeys,
    async forward() {
      throw new QfError("ERR_NOT_FOUND", "people sign in with another identity provider");
    },
    async start() {
      keys.forget();
      issuerKeys.start();
    },
    countVisit: () => {},
    passwords() {
      throw new QfError("ERR_NOT_FOUND", "people sign in with another identity provider");
    },
    close: async () => issuerKeys.stop(),
  };
}
