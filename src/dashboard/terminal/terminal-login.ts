/**
 * Login for a terminal in this page: a key held in memory, a sign-in at the provider whose nonce names the
 * key, and registration of this browser as a device.
 *
 * The sign-in is the hosted one (`wire/hosted-login-api.ts`). It runs in its own window, on pages without
 * script, and does not use the dashboard session.
 *
 * @module
 */
import type { LoginProof, RegisterResponse } from "../../wire/client-api.ts";
import type { ClientConfig } from "../../wire/client-config.ts";
import type { HostedLoginResponse } from "../../wire/hosted-login-api.ts";
import { BROWSER_OS } from "../../wire/terminal-page.ts";
import { clientCalls } from "./client-calls.ts";
import { deviceKey } from "./device-key.ts";
import { serverClock } from "./server-clock.ts";
import { hashOf, newWebKey, type Scope, shortFingerprint, signFields, type WebKey } from "./web-keys.ts";

const POLL_MS = 1_500;

/** A sign-in that the user has yet to complete. */
export interface PendingLogin {
  readonly config: ClientConfig;
  readonly loginKey: WebKey;
  /** Fingerprint of the login key, which the sign-in page shows too. */
  readonly fingerprint: string;
  readonly hosted: HostedLoginResponse;
}

export interface TerminalLogin {
  readonly scope: Scope;
  readonly loginKey: WebKey;
  readonly deviceKey: WebKey;
  readonly device: RegisterResponse;
  readonly proof: LoginProof;
}

export async function beginLogin(target: string, localUser: string): Promise<PendingLogin> {
  const [config, loginKey] = await Promise.all([clientCalls.config(), newWebKey()]);
  const hosted = await clientCalls.hosted({
    loginKey: loginKey.text,
    deviceName: browserLabel(navigator.userAgent),
    ...{ target, localUser, fresh: true, browser: true },
  });
  return { config, loginKey, hosted, fingerprint: await shortFingerprint(loginKey) };
}

/** Result of one claim. Null: the user has not answered yet. */
export type ClaimOutcome =
  | { readonly proof: LoginProof }
  | { readonly wrongCode: number }
  | { readonly denied: string };

export async function claimLogin(
  { hosted }: PendingLogin,
  { code, signal }: { readonly code?: string; readonly signal?: AbortSignal } = {},
): Promise<ClaimOutcome | null> {
  const { id, pollSecret } = hosted;
  const body = { pollSecret, ...(code === undefined ? {} : { code }) };
  const answer = await clientCalls.claim(id, body, signal);
  if (answer.status === "approved") return { proof: answer.proof };
  if (answer.status === "wrong_code") return { wrongCode: answer.triesLeft };
  if (answer.status === "denied") return { denied: answer.message ?? "the sign-in was denied" };
  return null;
}

/**
 * Polls until there is an answer. In `code` mode that can only be a refusal, since the code ends the wait.
 * Null once `signal` is aborted, also for a poll that is on its way: its answer no longer counts.
 */
export async function waitForLogin(pending: PendingLogin, signal: AbortSignal): Promise<ClaimOutcome | null> {
  while (!signal.aborted) {
    const outcome = await claimLogin(pending, { signal }).catch((error) => {
      if (error?.status === 0 || signal.aborted) return null;
      throw error;
    });
    if (signal.aborted) return null;
    if (outcome !== null) return outcome;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return null;
}

/** Registers this browser, or finds it again by its key. `userId` says whose key on this browser to use. */
export async function registerBrowser(
  pending: PendingLogin,
  proof: LoginProof,
  userId: string,
): Promise<TerminalLogin> {
  const { config, loginKey } = pending;
  const scope = { accountId: config.accountId, origin: config.origin };
  const [device, { challenge }] = await Promise.all([deviceKey(userId), clientCalls.challenge()]);
  const timeSeconds = serverClock.seconds(Date.now());
  const signed = {
    challenge,
    loginKey: loginKey.text,
    deviceKey: device.text,
    proofHash: await proofHash(proof),
    timeSeconds,
  };
  const [loginSignature, deviceSignature] = await Promise.all([
    signFields(loginKey, "register", scope, signed),
    signFields(device, "register", scope, signed),
  ]);
  const registered = await clientCalls.register({
    ...{ challenge, timeSeconds, proof, loginSignature, deviceSignature },
    ...{ loginKey: loginKey.text, deviceKey: device.text },
    facts: {
      hostname: browserLabel(navigator.userAgent),
      os: BROWSER_OS,
      kernelVersion: "",
      version: browserVersion(navigator.userAgent),
    },
  });
  return { scope, loginKey, deviceKey: device, device: registered, proof };
}

/** Hash that represents the proof in signed fields. */
export function proofHash(proof: LoginProof): Promise<string> {
  if (proof.kind === "id_token") return hashOf(proof.idToken);
  return hashOf(proof.kind === "claimed" ? proof.loginId : proof.token);
}

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg\/([\d.]+)/, "edge"],
  [/\bFirefox\/([\d.]+)/, "firefox"],
  [/\b(?:Headless)?Chrom(?:e|ium)\/([\d.]+)/, "chrome"],
  [/\bVersion\/([\d.]+).*\bSafari\//, "safari"],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\bAndroid\b/, "android"],
  [/\biPhone|\biPad/, "ios"],
  [/\bWindows\b/, "windows"],
  [/\bMac OS X\b/, "mac"],
  [/\bLinux\b/, "linux"],
];

/** The device's name: browser and platform, as a host label. */
export function browserLabel(userAgent: string): string {
  const named = (of: typeof BROWSERS): string | undefined => of.find(([form]) => form.test(userAgent))?.[1];
  return [named(BROWSERS) ?? "browser", named(SYSTEMS)].filter((word) => word !== undefined).join("-");
}

export function browserVersion(userAgent: string): string {
  const [form] = BROWSERS.find(([one]) => one.test(userAgent)) ?? [];
  return (form?.exec(userAgent)?.[1] ?? "").slice(0, 64);
}
