/**
 * `qf management serve`: opens the store, assembles the parts, serves, and stops in order.
 *
 * Without an account it serves nothing but a one-time set-up link. Read `startManagement`.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { RELEASE_KEYS } from "../base/build-info.ts";
import { type Clock, nowSeconds, systemClock } from "../base/clock.ts";
import { createLog, type Log } from "../base/log.ts";
import { newSecret } from "../base/random.ts";
import type { ServeReady } from "../wire/admin-api.ts";
import { forgetRequestsOver, watchAccessEnds } from "./access/access-ends.ts";
import { openMasterKey } from "./ca/master-key.ts";
import type { ManagementContext } from "./contracts/context.ts";
import type { Store } from "./db/store.ts";
import { listAccounts } from "./db/tables/accounts.ts";
import { deleteLoginsOverBefore } from "./db/tables/logins.ts";
import { deleteExpired, insertSetupLink } from "./db/tables/sign-in.ts";
import { deleteWebSessionsOver } from "./db/tables/web-sessions.ts";
import { answersByHost } from "./http/dashboard/own-origin.ts";
import { createDashboardPages } from "./http/dashboard/pages.ts";
import { createSessionWatch } from "./http/dashboard/session-watch.ts";
import { createRequestEntry } from "./http/request-entry.ts";
import { setupLinkHash } from "./http/setup-routes.ts";
import { type HttpServer, openHttpServer } from "./http-server.ts";
import { writeProviderFile } from "./idp/provider-file.ts";
import { redirectUris } from "./idp/redirect-uris.ts";
import { defaultMasterKeyFile, ensureMasterKey, openWithMasterKey, prepareDataDir } from "./init.ts";
import { startLogs } from "./log/audit-file.ts";
import { watchVouches } from "./login/vouch-watch.ts";
import { createMaps } from "./maps/maps.ts";
import { chosenPort, hostsOf, settleOrigin, storedOrigin } from "./origin.ts";
import type { Mailer } from "./outlets/mailer.ts";
import { checkOutlets, startOutlets } from "./outlets/start.ts";
import { openRecordings } from "./recordings/open-recordings.ts";
import { createRelayHub } from "./relay/hub.ts";
import { listenPlain, type PlainListener } from "./relay/plain-listener.ts";
import type { ClusterAddress } from "./relay/tunnel-listener.ts";
import { joinOthers } from "./relay/tunnels.ts";
import { ownExecutable } from "./releases/own-release.ts";
import { createReleases } from "./releases/releases.ts";
import { watchRollouts } from "./rollouts/rollouts.ts";
import { createRoutes } from "./routes.ts";
import {
  type CheckedListen,
  checkAuditShare,
  checkClusterListen,
  checkCorsOrigins,
  checkListen,
  checkRelayListen,
  listenOrigin,
  type ServeOptions,
} from "./serve-options.ts";
import { createSignIn, type SignInParts } from "./sign-in.ts";
import { createSyncHub } from "./sync/hub.ts";
import { watchTls } from "./tls-files.ts";

const SWEEP_MS = 60_000;
/** Larger than the clock skew that token checks tolerate. */
const LOGIN_GRACE_SECONDS = 300;
const SETUP_LINK_SECONDS = 86_400;

export interface RunningManagement {
  /** Public origin. */
  readonly url: string;
  /** Usually the same as `url`. */
  readonly dashboardOrigin: string;
  readonly issuer: string;
  /** Null when an account exists. */
  readonly setupLink: string | null;
  readonly context: ManagementContext;
  /** Rereads the TLS files. Never rejects; unusable files are logged. */
  reload(): Promise<void>;
  /** Stops in order; resolves when nothing is left open. */
  close(): Promise<void>;
}

/** Serves until SIGTERM or SIGINT. Returns the exit code; throws what `startManagement` throws. */
export async function serveManagement(options: ServeOptions): Promise<number> {
  const log = options.log ?? createLog("info");
  const stopped = waitForSignal();
  let running: RunningManagement | undefined;
  // As is usual for daemons, SIGHUP rereads files and does not stop the server, while it starts neither.
  process.on("SIGHUP", () => void running?.reload());
  running = await startManagement({ ...options, log });
  if (running.setupLink !== null) {
    process.stderr.write("qf: this server has no account yet; open this link once to set it up:\n");
    process.stderr.write(`${running.setupLink}\n`);
  }
  const redirects = running.context.oidc.embedded
    ? []
    : redirectUris(running.context.oidc, running.url, running.dashboardOrigin);
  if (redirects.length > 0) {
    process.stderr.write("qf: redirect URIs to register at the identity provider:\n");
    for (const { uri, use, clientId } of redirects) {
      process.stderr.write(`${uri}  (client ${clientId}: ${use})\n`);
    }
  }
  const ready: ServeReady = {
    url: running.url,
    issuer: running.issuer,
    pid: process.pid,
    ...(redirects.length > 0 ? { redirectUris: redirects.map(({ uri }) => uri) } : {}),
  };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  log.info("management serves", { url: running.url, issuer: running.issuer });
  log.info("management stops", { signal: await stopped });
  await running.close();
  return 0;
}

/**
 * Opens everything and starts serving.
 *
 * Throws ERR_USAGE for invalid options, ERR_ADDRESS_IN_USE, ERR_CONFLICT when another process holds the data
 * folder, ERR_NOT_INITIALISED, and ERR_STATE_DAMAGED or ERR_PERMISSION for files.
 */
export async function startManagement(options: ServeOptions): Promise<RunningManagement> {
  const listen = await checkListen(options);
  const clusterListen = checkClusterListen(options);
  const relayListen = checkRelayListen(options);
  checkCorsOrigins(options.apiCorsOrigins);
  const mailer = await checkOutlets(options);
  await prepareDataDir(options.dataDir);
  const closers: Closer[] = [];
  const close = async (): Promise<void> => {
    for (const step of closers.splice(0).reverse()) await step();
  };
  try {
    return { ...(await open(options, { ...listen, clusterListen, relayListen, mailer }, closers)), close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

interface MoreListening {
  readonly clusterListen: ClusterAddress | null;
  readonly relayListen: { readonly hostname: string; readonly port: number } | null;
  readonly mailer: Mailer | null;
}

/** Undoes one step of `open`. Closers run in reverse order. */
type Closer = () => Promise<unknown> | unknown;

async function open(
  options: ServeOptions,
  listen: CheckedListen & MoreListening,
  closers: Closer[],
): Promise<Omit<RunningManagement, "close">> {
  const { clock = systemClock, log = createLog("warn"), dataDir, databaseUrl, oidc: external } = options;
  const masterKeyFile = options.masterKeyFile ?? defaultMasterKeyFile(dataDir);
  const store = await openWithMasterKey({ dataDir, databaseUrl, clock, log, create: true }, masterKeyFile);
  closers.push(() => store.close());
  const isNew = (await store.read(listAccounts)).length === 0;
  // Created at the first start, when there is nothing to decrypt yet. A lost key is not replaced.
  const masterKey = await (isNew ? ensureMasterKey : openMasterKey)(masterKeyFile);
  const relayListener = openRelayListener(listen, closers);
  const httpServer = openHttpServer(listen, chosenPort(listen, await storedOrigin(store)));
  closers.push(() => httpServer.close());
  const origin = await settleOrigin(store, listen, httpServer.port);
  const folder = await ownFolder(options, closers);
  const dashboardOrigin = listen.dashboardOrigin ?? origin;
  const base = { store, clock, log, origin, masterKey };
  const parts = await createSignIn({ ...base, dashboardOrigin, dataDir: folder, external });
  await writeProviderFile(dataDir, { origin, oidc: parts.oidc, external });
  // Placed before the HTTP server's closer, so it runs after it: requests in flight may still need the
  // provider.
  closers.splice(-1, 0, () => parts.close());
  const { keys, oidc } = parts;
  const maps = createMaps({ store, keys, origin, log });
  const logParts = await startLogs(base, options.auditFile);
  closers.push(() => logParts.close());
  const outlets = startOutlets(options, { ...base, mailer: listen.mailer });
  closers.push(() => outlets.close());
  const [logs, relayPort] = [logParts.logs, relayListener?.port];
  const context: ManagementContext = { clock, log, store, keys, maps, logs, oidc, origin, relayPort };
  const hub = createSyncHub(context, { auditShareBytes: checkAuditShare(options.auditShareMb) });
  closers.push(() => hub.close(), watchRollouts(context, hub));
  const relay = createRelayHub(context);
  closers.push(() => relay.close());
  relayListener?.open(relay.plainHost);
  const recordings = await openRecordings(options, context, closers);
  const own = { ...context, origin: dashboardOrigin };
  const watch = createSessionWatch({ ctx: own, recordings, masterKey });
  closers.push(() => watch.close());
  await joinOthers({ context, relay, masterKey, listen: listen.clusterListen });
  if (!isNew) await parts.start();
  followOthers({ store, parts, log, isStarted: !isNew });
  const corsOrigins = checkCorsOrigins(options.apiCorsOrigins);
  const routes = createRoutes({
    ...{ context, parts, hub, relay, recordings, watch, masterKey, corsOrigins, outlets: outlets.desk },
    ...{ dashboardOrigin, ...releasesOf(options, context) },
  });
  const hosts = await hostsOf(store, [origin, dashboardOrigin, listenOrigin(listen, httpServer.port)]);
  const front = { log, origin, ...hosts, routes, behindProxy: options.behindProxy === true };
  const pages = createDashboardPages({ store, origin, dashboardOrigin });
  const answers = answersByHost(origin, dashboardOrigin);
  httpServer.open(createRequestEntry({ ...front, pages, answers }), { sync: hub, relay, watch });
  closers.push(startSweeping(store, clock, log), watchVouches(context), watchAccessEnds(context));
  const tlsFiles = watchTlsFiles(options, listen, { log, httpServer, closers });
  const setupLink = isNew ? await newSetupLink(store, clock, origin) : null;
  const reload = async (): Promise<void> => tlsFiles?.look();
  return { url: origin, dashboardOrigin, issuer: oidc.issuer, setupLink, context, reload };
}

function openRelayListener({ relayListen }: MoreListening, closers: Closer[]): PlainListener | null {
  const listener = relayListen === null ? null : listenPlain(relayListen);
  closers.push(() => listener?.close());
  return listener;
}

/** What machines install from: the release folder and the running executable. */
function releasesOf(options: ServeOptions, { clock, log }: ManagementContext) {
  const releases = createReleases({
    folder: options.releases ?? join(options.dataDir, "releases"),
    packedFolder: join(options.dataDir, "packed"),
    executable: options.executable === undefined ? ownExecutable() : options.executable,
    clock,
    log,
  });
  return { releases, releaseKeys: options.releaseKeys ?? RELEASE_KEYS };
}

/** A folder that no other process uses. Processes on one database may share the data folder as well. */
async function ownFolder({ dataDir, databaseUrl }: ServeOptions, closers: Closer[]): Promise<string> {
  if (databaseUrl === undefined) return dataDir;
  const folder = await mkdtemp(join(dataDir, "run-")); // mkdtemp makes it 0700.
  closers.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Follows other processes on the same database: one may add keys, or complete the set-up. */
function followOthers(on: { store: Store; parts: SignInParts; log: Log; isStarted: boolean }): void {
  const { store, parts, log } = on;
  let { isStarted } = on;
  store.cluster?.onAccount(() => {
    parts.keys.forget();
    if (isStarted) return;
    isStarted = true;
    parts.start().catch((cause: unknown) => log.error("the sign-in could not be started", {}, cause));
  });
}

async function newSetupLink(store: Store, clock: Clock, origin: string): Promise<string> {
  const secret = newSecret("");
  const createdAt = nowSeconds(clock);
  await store.transaction((tx) =>
    insertSetupLink(tx, {
      hash: setupLinkHash(secret),
      createdAt,
      expiresAt: createdAt + SETUP_LINK_SECONDS,
      usedAt: null,
    }),
  );
  return `${origin}/setup/${secret}`;
}

/** Deletes expired records every minute. */
function startSweeping(store: Store, clock: Clock, log: Log): Closer {
  const sweep = (): Promise<void> =>
    store.transaction(async (tx) => {
      await deleteExpired(tx);
      await deleteLoginsOverBefore(tx, nowSeconds(clock) - LOGIN_GRACE_SECONDS);
      await deleteWebSessionsOver(tx);
      await forgetRequestsOver(tx);
    });
  const timer = setInterval(() => {
    sweep().catch((cause) => log.warn("expired records not removed", {}, cause));
  }, SWEEP_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Null: the server runs without TLS. */
function watchTlsFiles(
  { tlsCert, tlsKey }: ServeOptions,
  { tls }: CheckedListen,
  { log, httpServer, closers }: { readonly log: Log; readonly httpServer: HttpServer; closers: Closer[] },
): ReturnType<typeof watchTls> | null {
  if (tls === null || tlsCert === undefined || tlsKey === undefined) return null;
  const tlsFiles = watchTls(
    { tlsCert, tlsKey },
    { before: tls, log, use: (pair) => httpServer.renewTls(pair) },
  );
  closers.push(() => tlsFiles.stop());
  return tlsFiles;
}

/** Resolves with the name of the first stop signal. Installed before anything is opened. */
function waitForSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
  });
}
