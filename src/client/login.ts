/**
 * Signs a person in and returns the proof for a login key. The method depends on where `qf` runs.
 *
 * A service user's token comes first, then this machine's browser, otherwise the hosted page. Prompts use
 * stderr and /dev/tty, never stdout or stdin.
 *
 * @module
 */
import { type Clock, systemClock } from "../base/clock.ts";
import type { Ed25519Key } from "../base/ed25519.ts";
import { QfError } from "../base/errors.ts";
import { readSmallFile } from "../base/files.ts";
import type { LoginProof } from "../wire/client-api.ts";
import type { ClientConfig } from "../wire/client-config.ts";
import { kindOfSecret, nameOfSecret } from "../wire/secret-kind.ts";
import { hasBrowser } from "./browser.ts";
import type { ClientApi } from "./client-api.ts";
import type { Environment } from "./client-folder.ts";
import { processTerminal, type Terminal } from "./terminal.ts";

/** How long a person has to finish. */
export const LOGIN_TIMEOUT_MS = 5 * 60_000;
const TOKEN_FILE_BYTES_MAX = 4_096;

export interface SignInOptions {
  readonly api: ClientApi;
  readonly config: ClientConfig;
  readonly loginKey: Ed25519Key;
  /** Name of this device, as the hosted page shows it. */
  readonly deviceName: string;
  /** The target, as the hosted page shows it. Empty: unknown. */
  readonly target?: string;
  readonly localUser?: string;
  /** Forces a fresh sign-in, whatever session the provider has. Set for a TTL of 0. */
  readonly fresh: boolean;
  /** `--no-browser`. */
  readonly noBrowser?: boolean;
  readonly environment: Environment;
  readonly clock?: Clock;
  readonly terminal?: Terminal;
  readonly fetch?: typeof fetch;
  /** Time limit of the whole sign-in in milliseconds. Default 300000. */
  readonly timeoutMs?: number;
}

/**
 * Signs a person in and returns the proof for `loginKey`. Throws ERR_LOGIN_FAILED when it was refused,
 * ERR_TIMEOUT after five minutes, ERR_LOGIN_REQUIRED when no person can be asked.
 */
export async function signIn(options: SignInOptions): Promise<LoginProof> {
  const { config, environment, loginKey, fresh } = options;
  const clock = options.clock ?? systemClock;
  const terminal = options.terminal ?? processTerminal;
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(tooLate()), options.timeoutMs ?? LOGIN_TIMEOUT_MS);
  const shared = { clock, terminal, loginKey, fresh, signal: timeout.signal };
  try {
    if (config.oidc.loopback && options.noBrowser !== true && hasBrowser(environment)) {
      // Loaded on demand: most connections use a cached login and must start fast.
      const { loopbackLogin } = await import("./loopback-login.ts");
      const fetchOption = options.fetch === undefined ? {} : { fetch: options.fetch };
      return await loopbackLogin({ ...shared, ...fetchOption, oidc: config.oidc, environment });
    }
    const { hostedLogin } = await import("./hosted-login.ts");
    return await hostedLogin({
      ...shared,
      api: options.api,
      deviceName: options.deviceName,
      target: options.target ?? "",
      localUser: options.localUser ?? "",
    });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The token that signs a service user in, from the environment. Undefined: a person signs in. That includes
 * an environment with a token of scope `api`, which is for administration. Throws as `environmentToken`.
 */
export async function serviceToken(environment: Environment): Promise<string | undefined> {
  const token = await environmentToken(environment);
  return token === undefined || kindOfSecret(token) === "api_token" ? undefined : token;
}

/**
 * The token in the file named by QF_TOKEN_FILE, otherwise in QF_TOKEN, whatever its scope. Undefined: none.
 *
 * Throws ERR_LOGIN_FAILED when the file cannot be read or holds no token, such as a setup key.
 */
export async function environmentToken(environment: Environment): Promise<string | undefined> {
  const file = environment.QF_TOKEN_FILE;
  let token = environment.QF_TOKEN;
  if (file !== undefined && file !== "") {
    try {
      token = await readSmallFile(file, TOKEN_FILE_BYTES_MAX);
    } catch (cause) {
      throw new QfError("ERR_LOGIN_FAILED", `the token file ${file} cannot be read`, {
        hint: "check QF_TOKEN_FILE",
        cause,
      });
    }
  }
  if (token === undefined || token === "") return undefined;
  const trimmed = token.trim();
  if (kindOfSecret(trimmed) === "setup_key") throw setupKeyForToken();
  if (/^[\x21-\x7e]{16,256}$/.test(trimmed)) return trimmed;
  throw new QfError("ERR_LOGIN_FAILED", "the token in the environment is not a token", {
    hint: "check QF_TOKEN_FILE and QF_TOKEN; qf token create makes one",
  });
}

function setupKeyForToken(): QfError {
  return new QfError("ERR_LOGIN_FAILED", `QF_TOKEN_FILE or QF_TOKEN holds ${nameOfSecret("setup_key")}`, {
    hint: "give a token: qf token create makes one; qf agent up takes the key, by QF_SETUP_KEY_FILE",
  });
}

function tooLate(): QfError {
  return new QfError("ERR_TIMEOUT", "nobody finished the sign-in in time", { hint: "start again" });
}
