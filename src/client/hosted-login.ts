/**
 * Sign-in on a page of management, which works in any browser anywhere. The page shows a one-time code to
 * type into the waiting terminal, so that nobody can be tricked into approving another person's login.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { Ed25519Key } from "../base/ed25519.ts";
import { QfError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import type { LoginProof } from "../wire/client-api.ts";
import type { HostedClaimResponse, HostedLoginResponse } from "../wire/hosted-login-api.ts";
import type { ClientApi } from "./client-api.ts";
import type { Terminal } from "./terminal.ts";

/** Interval of polling for the page's result. */
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
  /** Forces a fresh sign-in, whatever session the browser has. */
  readonly fresh: boolean;
  readonly signal: AbortSignal;
  /** Milliseconds between polls. Default 1500. */
  readonly pollMs?: number;
}

/** Signs in on the hosted page. Throws ERR_LOGIN_FAILED, or ERR_LOGIN_REQUIRED without a terminal. */
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

/** Asks for the code, and stops asking if the page ends the sign-in meanwhile. */
async function askForCode(options: HostedLoginOptions, opened: HostedLoginResponse): Promise<LoginProof> {
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const watch = watchForEnd(options, opened, signal).catch((error: unknown) => over.abort(error));
  try {
    return await typeCodes(options, opened, signal);
  } finally {
    over.abort();
    await watch;
  }
}

async function typeCodes(
  { api, terminal }: HostedLoginOptions,
  opened: HostedLoginResponse,
  signal: AbortSignal,
): Promise<LoginProof> {
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

/** Rejects once the sign-in is refused or fails; resolves when `signal` is aborted. */
async function watchForEnd(
  options: HostedLoginOptions,
  opened: HostedLoginResponse,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(options.pollMs ?? POLL_MS, signal).catch(() => {});
    if (signal.aborted) return;
    // A failed poll is repeated: only the typed code counts.
    const answer = await options.api
      .claimHosted(opened.id, { pollSecret: opened.pollSecret })
      .catch(() => null);
    if (answer?.status === "denied") throw refusal(answer);
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
  if (answer.status === "denied") throw refusal(answer);
  if (answer.status === "wrong_code" && answer.triesLeft <= 0) throw refusal({});
  return undefined;
}

/** The page's message; without one, the person refused. */
function refusal({
  code,
  message,
  hint,
}: Partial<Extract<HostedClaimResponse, { status: "denied" }>>): QfError {
  const known = KEPT_CODES.find((kept) => kept === code);
  return new QfError(known ?? "ERR_LOGIN_FAILED", printable(message ?? "the sign-in was refused"), {
    hint: printable(hint ?? "start again"),
  });
}

/** Codes that say more than "the sign-in failed". */
const KEPT_CODES = ["ERR_ACCESS_DENIED", "ERR_UNAVAILABLE"] as const;

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
