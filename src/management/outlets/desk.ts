/**
 * Outlets for the API: implements `contracts/outlet-desk.ts`.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { isQfError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { OutletTest } from "../../wire/outlet-api.ts";
import type { OutletDesk } from "../contracts/outlet-desk.ts";
import type { OutletRow } from "../db/tables/log-outlets.ts";
import { openOutletSecret, sealOutletSecret } from "./secrets.ts";
import type { Sender } from "./sender.ts";

/** Tests at once, over all accounts. Each waits for an address that an administrator chose. */
const TESTS_MAX = 8;
/** Tests of one account per minute, so that this server cannot be used to flood a receiver. */
const TESTS_PER_MINUTE_MAX = 10;
const MINUTE_MS = 60_000;

export function createOutletDesk(deps: {
  readonly sender: Sender;
  readonly masterKey: Uint8Array;
  readonly log: Log;
  readonly clock: Clock;
  readonly hasMail: boolean;
}): OutletDesk {
  const { sender, masterKey, log, clock, hasMail } = deps;
  let running = 0;
  /** When each account's tests of the last minute began, by the monotonic clock. */
  const recent = new Map<string, number[]>();
  const mayTest = (accountId: string): boolean => {
    const nowMs = clock.monotonicMs();
    for (const [id, times] of recent) {
      const young = times.filter((atMs) => nowMs - atMs < MINUTE_MS);
      if (young.length === 0) recent.delete(id);
      else recent.set(id, young);
    }
    const times = recent.get(accountId) ?? [];
    if (times.length >= TESTS_PER_MINUTE_MAX) return false;
    recent.set(accountId, [...times, nowMs]);
    return true;
  };
  return {
    hasMail,
    seal: (owner, secret) => sealOutletSecret(masterKey, owner, secret),
    open: (outlet) => openOutletSecret(masterKey, outlet),
    async test(outlet: OutletRow): Promise<OutletTest> {
      if (running >= TESTS_MAX) {
        return { ok: false, error: "too many tests are running", hint: "try again in a few seconds" };
      }
      if (!mayTest(outlet.accountId)) {
        return { ok: false, error: "too many tests were sent", hint: "try again in a minute" };
      }
      running += 1;
      try {
        await sender.sendTest(outlet);
        return { ok: true, error: null, hint: null };
      } catch (cause) {
        log.warn("a test of an outlet failed", { outlet: outlet.id }, cause);
        if (!isQfError(cause)) return { ok: false, error: "it could not be delivered", hint: null };
        return { ok: false, error: cause.message, hint: cause.hint ?? null };
      } finally {
        running -= 1;
      }
    },
  };
}
