/**
 * Waiting for the decision of a request, by looking again after each audit event of its account.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import type { AccessRequest } from "../../wire/access-request.ts";
import type { AccountId, UserId } from "../../wire/units.ts";
import { createKeyedCounter, type KeyedCounter } from "../contracts/keyed-counter.ts";
import type { Store } from "../db/store.ts";

/** Waiting callers at once, over all accounts. Each holds a connection open. */
const WAITING_MAX = 256;
/** Waiting callers of one person, so that none can keep others from waiting. */
const WAITING_OF_USER_MAX = 16;
/** Events within this time cause one look. */
const SETTLE_MS = 50;

const waiting = new WeakMap<Store, KeyedCounter>();

export interface DecisionWait {
  readonly accountId: AccountId;
  /** The person who waits. */
  readonly userId: UserId;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  look(): Promise<AccessRequest>;
}

/** The request once it no longer waits, or its state after `timeoutMs`. Throws ERR_TOO_MANY. */
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
  // Listen before the first look, so that no event is missed between the two.
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
