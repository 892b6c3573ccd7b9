/**
 * Readiness of this process, reported to load balancers at `/readyz`.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { isQfError } from "../base/errors.ts";
import { SAFE_HEADERS } from "../base/html.ts";
import type { Store } from "./db/store.ts";
import { listAccounts, putMeta } from "./db/tables/accounts.ts";

/** Least time between two trial writes, however often `/readyz` is asked. */
const TRIAL_MS = 5_000;

/** Answers `GET /readyz`: 200 `ready`, or 503 `not ready: <why>`. */
export interface Readiness {
  answer(): Promise<Response>;
}

/**
 * Ready means: an account exists, the database can be read and written, and agents are accepted. A failure is
 * reported in one line without names or paths.
 */
export function createReadiness(deps: {
  readonly store: Pick<Store, "read" | "transaction">;
  readonly clock: Clock;
  /** False once the server is stopping. */
  readonly isOpen: () => boolean;
}): Readiness {
  let trial: { readonly atMs: number; readonly failure: Promise<string | null> } | null = null;
  const writeFailure = (): Promise<string | null> => {
    const atMs = deps.clock.monotonicMs();
    if (trial === null || atMs - trial.atMs >= TRIAL_MS) {
      trial = { atMs, failure: tryWrite(deps.store, deps.clock) };
    }
    return trial.failure;
  };
  return {
    async answer() {
      if (!deps.isOpen()) return notReady("this server is stopping");
      const accounts = await deps.store.read(listAccounts).catch(() => null);
      if (accounts === null) return notReady("the database cannot be read");
      if (accounts.length === 0) return notReady("this server is not set up yet");
      const failure = await writeFailure();
      return failure === null ? new Response("ready\n", { headers: SAFE_HEADERS }) : notReady(failure);
    },
  };
}

async function tryWrite(store: Pick<Store, "transaction">, clock: Clock): Promise<string | null> {
  try {
    await store.transaction((tx) => putMeta(tx, "trial_write", String(clock.nowMs())));
    return null;
  } catch (cause) {
    return isQfError(cause, "ERR_UNAVAILABLE") ? cause.message : "the database cannot be written";
  }
}

function notReady(why: string): Response {
  return new Response(`not ready: ${why}\n`, { status: 503, headers: SAFE_HEADERS });
}
