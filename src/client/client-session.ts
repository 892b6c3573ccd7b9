/**
 * A person's session with one management server: its URL, their folder, their login there.
 *
 * `login` returns a cached login or makes a new one (login key, sign-in, device registration) and caches it
 * for the TTL. `credential.ts` obtains certificates with it.
 *
 * @module
 */
import { type Clock, nowSeconds, systemClock } from "../base/clock.ts";
import { type Ed25519Key, ed25519FromSeed, generateEd25519, signEd25519 } from "../base/ed25519.ts";
import { isQfError, QfError } from "../base/errors.ts";
import type { Challenge, LoginProof, RegisterResponse } from "../wire/client-api.ts";
import { signedBytes } from "../wire/signed-fields.ts";
import type { CachedLogin, PublicClientFile } from "../wire/state-file.ts";
import { type ClientApi, createClientApi } from "./client-api.ts";
import { type ClientFolder, type Environment, openClientFolder, readPublicClient } from "./client-folder.ts";
import { deviceFacts, registerDevice, type Scope } from "./device.ts";
import { followMove } from "./follow-move.ts";
import { serviceToken, signIn } from "./login.ts";
import { createLoginCache, type LoginCache } from "./login-cache.ts";
import { checkManagementUrl, managementUrlOf } from "./management-url.ts";
import { pinLog } from "./pinned-logs.ts";
import { processTerminal, type Terminal } from "./terminal.ts";

/** Sources of everything about a login. Tests replace parts. */
export interface ClientSessionOptions {
  /** `--management-url`. Undefined: environment, the person's own config, then the machine's. */
  readonly managementUrl?: string | undefined;
  /** `--no-browser`. */
  readonly noBrowser?: boolean;
  /** False: no prompts; a missing login is ERR_LOGIN_REQUIRED. Default true. */
  readonly interactive?: boolean;
  readonly environment?: Environment;
  readonly clock?: Clock;
  readonly terminal?: Terminal;
  readonly fetch?: typeof fetch;
  /** Requests a challenge as soon as a cached login seems to be there, for `takeChallenge`. Default false. */
  readonly wantsChallenge?: boolean;
}

/** A login that can obtain certificates now. */
export interface Login {
  readonly scope: Scope;
  readonly loginKey: Ed25519Key;
  readonly proof: LoginProof;
  readonly loginId: string;
  readonly devicePeerId: string;
  readonly user: { readonly id: string; readonly name: string; readonly email: string };
  /** Until when it is cached here. Null: it is not cached. */
  readonly keptUntilSeconds: number | null;
  /** Whether the person signed in just now. */
  readonly isNew: boolean;
  readonly deviceName: string | null;
  readonly deviceStatus: "active" | "pending" | null;
}

export interface ClientSession {
  readonly api: ClientApi;
  readonly clock: Clock;
  readonly folder: ClientFolder;
  readonly cache: LoginCache;
  readonly deviceKey: Ed25519Key;
  readonly machine: PublicClientFile | undefined;
  /** The cached login, otherwise a new one. `fresh`: a new one even if one is cached. */
  login(options?: LoginOptions): Promise<Login>;
  /** The cached login, without signing in. Reports a damaged cache file and continues without it. */
  cachedLogin(): Promise<Login | undefined>;
  /** A challenge of management for a request with `login`: the one requested at the start, or a new one. */
  takeChallenge(login: Login): Promise<Challenge>;
  /** Ends `login` at management. The caller removes the cache entry. */
  revoke(login: Login): Promise<void>;
}

export interface LoginOptions {
  readonly fresh?: boolean;
  /** With `fresh`: the provider must ask again, whatever session the browser has there. */
  readonly asksAgain?: boolean;
  /** Shown on the hosted page. */
  readonly target?: string;
  readonly localUser?: string;
}

/** Opens the person's folder and finds the management server; nothing is sent yet. */
export async function openClientSession(options: ClientSessionOptions = {}): Promise<ClientSession> {
  const environment = options.environment ?? process.env;
  const clock = options.clock ?? systemClock;
  const terminal = options.terminal ?? processTerminal;
  const folder = await openClientFolder(environment, clock);
  const [url, machine] = await Promise.all([
    managementUrlOf(environment, options.managementUrl),
    readPublicClient(environment),
  ]);
  const api = createClientApi({
    url,
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
    onElsewhere: (config) => followMove({ folder, url, config, clock, terminal, environment }),
  });
  const ourMachine = machine !== undefined && isSameServer(machine.managementUrl, api) ? machine : undefined;
  const cache = createLoginCache({ clock, path: folder.loginsPath, agentBootId: ourMachine?.bootId });
  let early = options.wantsChallenge === true && cache.mayHave(api.origin) ? api.challenge() : undefined;
  early?.catch(() => {}); // Whatever takes it awaits it.
  const deviceKey = await folder.deviceKey();
  const parts = { options, environment, clock, terminal, folder, api, cache, deviceKey, machine: ourMachine };
  const session: ClientSession = {
    ...parts,
    async login(loginOptions = {}) {
      if (loginOptions.fresh !== true) {
        const cached = await session.cachedLogin();
        if (cached !== undefined) return cached;
      }
      return newLogin(parts, loginOptions);
    },
    cachedLogin: () => cachedLogin(parts),
    takeChallenge(login) {
      // A sign-in may have taken longer than a challenge lasts.
      const taken = login.isNew ? undefined : early;
      early = undefined;
      return taken ?? api.challenge();
    },
    revoke: (login) => revoke(parts, login),
  };
  return session;
}

interface Parts {
  readonly options: ClientSessionOptions;
  readonly environment: Environment;
  readonly clock: Clock;
  readonly terminal: Terminal;
  readonly folder: ClientFolder;
  readonly api: ClientApi;
  readonly cache: LoginCache;
  readonly deviceKey: Ed25519Key;
  readonly machine: PublicClientFile | undefined;
}

/**
 * How long to cache a login and, if the machine set that rather than the person, the agent boot that it ends
 * with.
 */
async function ttlOf({ folder, machine }: Parts): Promise<{ ttlSeconds: number; agentBootId?: string }> {
  const { ttlSeconds } = await folder.readConfig();
  if (ttlSeconds !== undefined) return { ttlSeconds };
  // Without a boot id, a login cached at the machine's request could outlive its agent.
  if (machine?.bootId === undefined) return { ttlSeconds: 0 };
  return { ttlSeconds: machine.ttlSeconds, agentBootId: machine.bootId };
}

async function cachedLogin({ api, cache, terminal, environment }: Parts): Promise<Login | undefined> {
  if ((await serviceToken(environment)) !== undefined) return undefined;
  try {
    const kept = await cache.read(api.origin);
    return kept === undefined ? undefined : loginOf(kept);
  } catch (error) {
    if (!isQfError(error, "ERR_STATE_DAMAGED")) throw error;
    terminal.say(`qf: warning: ${error.message}`);
    return undefined;
  }
}

function loginOf(kept: CachedLogin): Login {
  return {
    scope: { accountId: kept.accountId, origin: kept.origin },
    loginKey: ed25519FromSeed(kept.seed),
    proof:
      kept.idToken === undefined
        ? { kind: "claimed", loginId: kept.loginId }
        : { kind: "id_token", idToken: kept.idToken },
    loginId: kept.loginId,
    devicePeerId: kept.devicePeerId,
    user: kept.user,
    keptUntilSeconds: kept.untilSeconds,
    isNew: false,
    deviceName: null,
    deviceStatus: null,
  };
}

/** Signs in with a new login key, registers the device, and caches the login if the TTL is not 0. */
async function newLogin(parts: Parts, about: LoginOptions): Promise<Login> {
  const { api, clock, environment, deviceKey, folder, machine } = parts;
  const token = await serviceToken(environment);
  if (token === undefined && parts.options.interactive === false) throw loginRequired();
  const [config, ttl] = await Promise.all([api.config(), ttlOf(parts)]);
  const loginKey = generateEd25519();
  const scope = { accountId: config.accountId, origin: config.origin };
  const signedIn: LoginProof =
    token !== undefined
      ? { kind: "service_token", token }
      : await signIn({
          ...parts.options,
          ...parts,
          config,
          loginKey,
          deviceName: deviceFacts().hostname,
          target: about.target ?? "",
          localUser: about.localUser ?? "",
          fresh: ttl.ttlSeconds === 0 || about.asksAgain === true,
        });
  const controlSocket = machine?.controlSocket;
  const registration = { api, clock, scope, loginKey, deviceKey, proof: signedIn, controlSocket };
  const device = await registerDevice(registration);
  const known = { peerId: device.peerId, accountId: scope.accountId, user: device.user };
  await folder.updateConfig((stored) => ({
    ...stored,
    devices: { ...stored.devices, [api.origin]: known },
  }));
  if (device.log !== undefined) await pinLog(folder.path, device.log);
  const login: Login = {
    scope,
    loginKey,
    // The registration claimed a token without a nonce; management never returns it.
    proof: device.binding === "ca" ? { kind: "claimed", loginId: device.loginId } : keptProof(signedIn),
    loginId: device.loginId,
    devicePeerId: device.peerId,
    user: device.user,
    keptUntilSeconds: null,
    isNew: true,
    deviceName: device.name,
    deviceStatus: device.deviceStatus,
  };
  const seconds = token === undefined ? Math.min(ttl.ttlSeconds, config.loginSecondsMax) : 0;
  return keep(parts, login, device, { seconds, agentBootId: ttl.agentBootId });
}

/** Only the ID token is cached: the registration's other data is used up, and an access token is a secret. */
function keptProof(proof: LoginProof): LoginProof {
  return proof.kind === "id_token" ? { kind: "id_token", idToken: proof.idToken } : proof;
}

/** Caches `login` for `seconds`, but no longer than management accepts it. */
async function keep(
  { api, cache, clock }: Parts,
  login: Login,
  device: RegisterResponse,
  { seconds, agentBootId }: { readonly seconds: number; readonly agentBootId: string | undefined },
): Promise<Login> {
  const untilSeconds = Math.min(nowSeconds(clock) + seconds, device.loginUntilSeconds);
  if (untilSeconds <= nowSeconds(clock)) return login;
  await cache.write({
    format: 1,
    origin: api.origin,
    accountId: login.scope.accountId,
    seed: login.loginKey.seed,
    loginId: login.loginId,
    binding: device.binding,
    ...(login.proof.kind === "id_token" ? { idToken: login.proof.idToken } : {}),
    user: login.user,
    devicePeerId: login.devicePeerId,
    untilSeconds,
    ...(agentBootId === undefined ? {} : { agentBootId }),
  });
  return { ...login, keptUntilSeconds: untilSeconds };
}

async function revoke({ api, clock }: Parts, { scope, loginKey }: Login): Promise<void> {
  const { challenge } = await api.challenge();
  const timeSeconds = nowSeconds(clock);
  const bytes = signedBytes("logout", scope, { challenge, loginKey: loginKey.publicKey, timeSeconds });
  await api.logout({
    challenge,
    timeSeconds,
    loginKey: loginKey.publicKey,
    loginSignature: signEd25519(loginKey, bytes),
  });
}

function isSameServer(url: string, api: ClientApi): boolean {
  try {
    return checkManagementUrl(url) === api.origin;
  } catch {
    return false;
  }
}

function loginRequired(): QfError {
  return new QfError("ERR_LOGIN_REQUIRED", "signing in is needed, and nobody may be asked", {
    hint: "run qf login --ssh-jwt-cache-ttl SECONDS before, or give a service token with QF_TOKEN_FILE",
  });
}
