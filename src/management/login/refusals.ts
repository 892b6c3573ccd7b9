/**
 * Audit events for refused sign-ins, with a bound on how many one source can cause.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { type FailureCode, isQfError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { failureDetails } from "../../identity/provider-failure.ts";
import type { ActivityCode } from "../../wire/audit-event.ts";
import type { AccountId } from "../../wire/units.ts";
import type { Store } from "../db/store.ts";
import { systemInitiator } from "../db/tables/audit-events.ts";
import type { UserRow } from "../db/tables/users.ts";
import { createSourceAttempts } from "../idp/attempts.ts";
import { initiatorOf } from "./person.ts";

/** Events of one source per minute. Further refusals are answered but not recorded. */
const NOTED = { countMax: 30, windowMs: 60_000 };
/** Refusals of a person or device, as opposed to malformed requests. */
const REFUSALS: readonly FailureCode[] = [
  "ERR_TOKEN_INVALID",
  "ERR_LOGIN_REQUIRED",
  "ERR_UNAUTHENTICATED",
  "ERR_FORBIDDEN",
  "ERR_ACCESS_DENIED",
];

export interface Refusal {
  readonly accountId: AccountId;
  readonly sourceAddress: string;
  /** What was asked for: `device`, `certificate`, `machine`, or the name of a peer. */
  readonly what: string;
  /** Activity of the event. Absent: a failed sign-in. */
  readonly activity?: ActivityCode;
  /** Called at the time of the refusal. Null: the user is not known. */
  readonly user: () => UserRow | null;
}

export interface Refusals {
  /** Runs `work`. Records its refusal and throws it on. */
  noting<T>(refusal: Refusal, work: () => Promise<T>): Promise<T>;
}

export function createRefusals(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}): Refusals {
  const attempts = createSourceAttempts(deps.clock, NOTED);
  return {
    async noting(refusal, work) {
      try {
        return await work();
      } catch (cause) {
        const isRefusal = isQfError(cause) && REFUSALS.includes(cause.code);
        if (isRefusal && attempts.take(refusal.sourceAddress)) {
          const details = failureDetails(cause);
          const said = { code: cause.code, reason: cause.message, ...details };
          const { what, sourceAddress: source } = refusal;
          // Whoever runs the provider needs to know what is wrong with a token, so the log has it too.
          if (Object.keys(details).length > 0) deps.log.warn("sign-in refused", { ...said, what, source });
          await note(deps.store, refusal, said);
        }
        throw cause;
      }
    },
  };
}

async function note(
  store: Store,
  refusal: Refusal,
  said: Readonly<Record<string, string>> & { readonly code: FailureCode },
): Promise<void> {
  const user = refusal.user();
  const event = {
    activity:
      refusal.activity ??
      (said.code === "ERR_TOKEN_INVALID" ? ("token.claim.refused" as const) : ("login.failed" as const)),
    targetId: user?.id ?? "",
    meta: { ...said, what: refusal.what, source: refusal.sourceAddress },
  };
  const initiator = user === null ? systemInitiator : initiatorOf(user);
  await store.change({ accountId: refusal.accountId, initiator, events: [event] }, async () => {});
}
