/**
 * Signing in by a page of management: works in any browser anywhere. The page shows a one-time code,
 * which is typed into the waiting terminal, so that nobody can be talked into approving another's login.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { Ed25519Key } from "../base/ed25519.ts";
import { QfError } from "../base/errors.ts";
import type { HostedClaimResponse, HostedLoginResponse, LoginProof } from "../wire/client-api.ts";
import type { ClientApi } from "./client-api.ts";
import type { Terminal } from "./terminal.ts";

/** Between two polls where a click confirms. */
const POLL_MS = 1_500;
const CODE_LENGTH_MAX = 32;

export interface HostedLoginOptions {
  readonly api: ClientApi;
  readonly clock: Clock;
  readonly terminal: Terminal;
  readonly loginKey: Ed25519Key;
  readonly deviceName: string;
  readonly target: string;
  readonly localUser: string;
  /** Sign in anew whatever session the browser has. */
  readonly fresh: boolean;
  readonly signal: AbortSignal;
  /** Milliseconds between polls. Default 1500. */
  readonly pollMs?: number;
}

/** Signs in by the hosted page. Throws ERR_LOGIN_FAILED, or ERR_LOGIN_REQUIRED without a terminal. */
export async function hostedLogin(options: HostedLoginOptions): Promise<LoginProof> {
  const { api, terminal, loginKey } = options;
  const opened = await api.openHosted({
    loginKey: loginKey.publicKey,
    deviceName: options.deviceName,
    target: options.target,
    localUser: options.localUser as HostedLoginTarget,
    fresh: options.fresh,
  });
  if (opened.confirmation === "code" && !terminal.canAsk()) {
    throw new QfError("ERR_LOGIN_REQUIRED", "signing in needs a terminal to type the one-time code into", {
      hint: "run qf login in a terminal first, or give a service user's token with QF_TOKEN_FILE",
    });
  }
  terminal.say("Open this page in any browser to sign in:");
  terminal.say(opened.url);
  return opened.confirmation === "code" ? askForCode(options, opened) : poll(options, opened);
}

type HostedLoginTarget = Parameters<ClientApi["openHosted"]>[0]["localUser"];

async function askForCode(options: HostedLoginOptions, opened: HostedLoginResponse): Promise<LoginProof> {
  const { api, terminal, signal } = options;
  for (;;) {
    const code = await terminal.ask("One-time code: ", signal);
    if (code === "") continue;
    const answer = await api.claimHosted(opened.id, {
      pollSecret: opened.pollSecret,
      code: code.slice(0, CODE_LENGTH_MAX),
    });
    const proof = proofOf(answer);
    if (proof !== undefined) return proof;
    terminal.say(
      answer.status === "wrong_code"
        ? `That is not the code; ${answer.triesLeft} more ${answer.triesLeft === 1 ? "try" : "tries"}.`
        : "Not confirmed yet: finish on the page, it then shows the code.",
    );
  }
}

async function poll(options: HostedLoginOptions, opened: HostedLoginResponse): Promise<LoginProof> {
  const { api, signal } = options;
  for (;;) {
    signal.throwIfAborted();
    const proof = proofOf(await api.claimHosted(opened.id, { pollSecret: opened.pollSecret }));
    if (proof !== undefined) return proof;
    await sleep(options.pollMs ?? POLL_MS, signal);
  }
}

function proofOf(answer: HostedClaimResponse): LoginProof | undefined {
  if (answer.status === "approved") return answer.proof;
  if (answer.status === "denied" || (answer.status === "wrong_code" && answer.triesLeft <= 0)) {
    throw new QfError("ERR_LOGIN_FAILED", "the sign-in was refused", { hint: "start again" });
  }
  return undefined;
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
