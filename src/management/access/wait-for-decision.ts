/**
 * Waiting until a request is decided: the question is asked again at each piece of news of its account.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import type { AccessRequest } from "../../wire/access-request.ts";
import type { AccountId, UserId } from "../../wire/units.ts";
import { createKeyedCounter, type KeyedCounter } from "../contracts/keyed-counter.ts";
import type { Store } from "../db/store.ts";

/** Questions that wait at once, over all accounts: each holds a connection open. */
const WAITING_MAX = 256;
/** Of one person: nobody keeps the others from waiting. */
const WAITING_OF_USER_MAX = 16;
/** News that come together are looked at together. */
const SETTLE_MS = 50;

const waiting = new WeakMap<Store, KeyedCounter>();

export interface DecisionWait {
  readonly accountId: AccountId;
  /** Who waits. */
  readonly userId: UserId;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  look(): Promise<AccessRequest>;
}

/** The request once it waits no more, or as it is after `timeoutMs`. Throws ERR_TOO_MANY. */
export async function waitForDecision(store: Store, wait: DecisionWait): Promise<AccessRequest> {
  if (wait.timeoutMs <= 0) return wait.look();
  const held = waiting.get(store) ?? createKeyedCounter(WAITING_MAX, WAITING_OF_USER_MAX);
  waiting.set(store, held);
  if (held.isFull(wait.userId)) {
    throw new QfError("ERR_TOO_MANY", "too many wait for decisions", { hint: "ask without wait_seconds" });
  }
  held.enter(wait.userId);
  let news = Promise.withResolvers<void>();
  let isOver = false;
  const finish = (): void => {
    isOver = true;
    news.resolve();
  };
  // Listening begins before the first look, so nothing falls between the two.
  const unsubscribe = store.onAudit((accountId) => {
    if (accountId === wait.accountId) news.resolve();
  });
  const timer = setTimeout(finish, wait.timeoutMs);
  wait.signal.addEventListener("abort", finish, { once: true });
  try {
    while (true) {
      const now = await wait.look();
      if (now.state !== "waiting" || isOver) return now;
      await news.promise;
      news = Promise.withResolvers<void>();
      if (isOver) news.resolve();
      else await Bun.sleep(SETTLE_MS);
    }
  } finally {
    held.leave(wait.userId);
    clearTimeout(timer);
    unsubscribe();
    wait.signal.removeEventListener("abort", finish);
  }
}
