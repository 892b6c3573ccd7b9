import { expect, test } from "bun:test";
import { waitForDecision } from "../../../src/management/access/wait-for-decision.ts";
import type { AuditListener, Store } from "../../../src/management/db/store.ts";
import type { AccessRequest } from "../../../src/wire/access-request.ts";

function aStore(): { store: Store; tell(accountId: string): void; listening(): number } {
  const listeners = new Set<AuditListener>();
  const onAudit = (listener: AuditListener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  return {
    store: { onAudit } as Store,
    tell: (accountId) => {
      for (const listener of listeners) listener(accountId, 1);
    },
    listening: () => listeners.size,
  };
}

const inState = (state: string) => ({ state }) as AccessRequest;

test("a wait ends with the decision, and not with news of another account", async () => {
  const { store, tell, listening } = aStore();
  let state = "waiting";
  let looks = 0;
  const look = async () => {
    looks += 1;
    return inState(state);
  };
  const { signal } = new AbortController();
  const waiting = waitForDecision(store, {
    accountId: "ours",
    userId: "ada",
    signal,
    timeoutMs: 60_000,
    look,
  });
  tell("theirs");
  expect(listening()).toBe(1);
  state = "approved";
  tell("ours");
  expect((await waiting).state).toBe("approved");
  expect([looks, listening()]).toEqual([2, 0]);
});

test("a wait ends when its caller goes, and without one it is not waited at all", async () => {
  const { store, listening } = aStore();
  const caller = new AbortController();
  const options = {
    accountId: "ours",
    userId: "ada",
    signal: caller.signal,
    look: async () => inState("waiting"),
  };
  expect((await waitForDecision(store, { ...options, timeoutMs: 0 })).state).toBe("waiting");
  const waiting = waitForDecision(store, { ...options, timeoutMs: 60_000 });
  caller.abort();
  expect((await waiting).state).toBe("waiting");
  expect(listening()).toBe(0);
});

test("one person waits in sixteen places at most, and keeps nobody else from waiting", async () => {
  const { store, listening } = aStore();
  const caller = new AbortController();
  const ask = (userId: string) => {
    const look = async () => inState("waiting");
    return waitForDecision(store, {
      accountId: "ours",
      userId,
      signal: caller.signal,
      timeoutMs: 60_000,
      look,
    });
  };
  const waiting = Array.from({ length: 16 }, () => ask("ada"));
  expect(ask("ada")).rejects.toMatchObject({ code: "ERR_TOO_MANY" });
  waiting.push(ask("bob"));
  caller.abort();
  await Promise.all(waiting);
  expect(listening()).toBe(0);
});
