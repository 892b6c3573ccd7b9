/**
 * Signing in with the provider of `provider.ts`, in both ways: by `qf` itself on a loopback redirect, and
 * by the pages of management with the code typed back. Management runs in this process; everything between
 * is HTTP.
 */
import { systemClock } from "../../src/base/clock.ts";
import { isQfError } from "../../src/base/errors.ts";
import type { Log, LogFields } from "../../src/base/log.ts";
import { createClientApi } from "../../src/client/client-api.ts";
import { hostedLogin } from "../../src/client/hosted-login.ts";
import { loopbackLogin } from "../../src/client/loopback-login.ts";
import type { Terminal } from "../../src/client/terminal.ts";
import type { ExternalOidcOptions } from "../../src/management/idp/settings.ts";
import type { LoginProof, RegisterResponse } from "../../src/wire/client-api.ts";
import { createBrowser, textOfId } from "./browser.ts";
import type { TestProvider } from "./provider.ts";
import { startTestManagement, type TestManagement } from "./running-management.ts";
import { openSignedClient } from "./signed-client.ts";
import { tempFolder } from "./temp-folder.ts";

export const WAYS = ["loopback", "hosted"] as const;
export type Way = (typeof WAYS)[number];

export interface LogLine {
  readonly level: "error" | "warn";
  readonly message: string;
  readonly fields: LogFields;
}

export interface ProviderManagement extends TestManagement {
  /** What operators were told, oldest first. */
  readonly told: LogLine[];
  /** Signs a new device in. Throws what the person's terminal says. */
  signIn(way: Way, options?: SignInOptions): Promise<RegisterResponse>;
}

export interface SignInOptions {
  /** As with a TTL of 0. Default false. */
  readonly fresh?: boolean;
  /** How long the terminal waits. Default 20 s. */
  readonly timeoutMs?: number;
  /** Shown the page at which the browser ends. */
  readonly onPage?: (page: { readonly status: number; readonly text: string }) => void;
}

/** Management that signs people in with `provider`. */
export async function startProviderManagement(
  provider: Pick<TestProvider, "issuer">,
  oidc: Omit<ExternalOidcOptions, "issuer">,
): Promise<ProviderManagement> {
  const told: LogLine[] = [];
  const log = keepingLog(told);
  const options = { oidc: { issuer: provider.issuer, ...oidc }, log };
  const management = await startTestManagement(tempFolder(), options);
  return {
    ...management,
    told,
    async signIn(way, signInOptions = {}) {
      const client = await openSignedClient(management.url);
      const proof = await proofOf(way, { management, client, ...signInOptions });
      return client.register(proof);
    },
  };
}

interface Attempt extends SignInOptions {
  readonly management: TestManagement;
  readonly client: Awaited<ReturnType<typeof openSignedClient>>;
}

async function proofOf(
  way: Way,
  { management, client, fresh = false, timeoutMs = 20_000, onPage }: Attempt,
): Promise<LoginProof> {
  const signal = AbortSignal.timeout(timeoutMs);
  const shared = { clock: systemClock, loginKey: client.loginKey, fresh, signal };
  if (way === "loopback") {
    const terminal = aTerminal(async (url) => {
      const page = await createBrowser().open(url);
      onPage?.(page);
    });
    return loopbackLogin({ ...shared, terminal, oidc: client.config.oidc, environment: { BROWSER: "true" } });
  }
  const code = Promise.withResolvers<string>();
  const terminal = aTerminal(async (url) => {
    const browser = createBrowser();
    const page = await browser.submit(await browser.open(url), {}, "confirm");
    onPage?.(page);
    const shown = textOfId(page, "code");
    if (shown !== undefined) code.resolve(shown);
  }, code.promise);
  const names = { deviceName: "laptop", target: "", localUser: "" };
  return hostedLogin({
    ...shared,
    ...names,
    api: createClientApi({ url: management.url }),
    terminal,
    pollMs: 20,
  });
}

/** A terminal whose person opens each URL, and types the code once there is one. */
function aTerminal(open: (url: string) => Promise<void>, code?: Promise<string>): Terminal {
  return {
    say: (line) => {
      if (line.startsWith("http")) open(line).catch(() => {});
    },
    canAsk: () => code !== undefined,
    ask: (_prompt, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        code?.then(resolve, reject);
      }),
  };
}

function keepingLog(told: LogLine[]): Log {
  const keep =
    (level: LogLine["level"]) =>
    (message: string, fields: LogFields = {}) =>
      void told.push({ level, message, fields });
  return { error: keep("error"), warn: keep("warn"), info: () => {}, debug: () => {} };
}

/** Code, message and hint of the failure of `work`. */
export async function saidBy(
  work: Promise<unknown>,
): Promise<{ code: string; message: string; hint: string }> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (isQfError(error)) return { code: error.code, message: error.message, hint: error.hint ?? "" };
  throw new Error(error === undefined ? "it did not fail" : `no QfError but ${String(error)}`);
}
