/** What the relay has let in is asked about again after a change of its account, and of no other. */
import { afterEach, expect, test } from "bun:test";
import { silentLog } from "../../../src/base/log.ts";
import { type RecheckDeps, startRechecking } from "../../../src/management/relay/recheck.ts";
import { until } from "../../support/until.ts";

interface FakeStream {
  readonly dial: { readonly accountId: string; readonly hello: string };
  readonly isOver: boolean;
}

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const streamOf = (accountId: string, hello: string, isOver = false): FakeStream => ({
  dial: { accountId, hello },
  isOver,
});

/** Streams of fakes that are rechecked at once; `allowed` are the hellos that may go on. */
function rechecking(all: readonly FakeStream[], allowed: readonly string[]) {
  const ended: unknown[] = [];
  const asked: string[] = [];
  const listeners = new Set<(accountId: string) => void>();
  const deps = {
    store: {
      onChange: (listener: (accountId: string) => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    log: silentLog,
    admission: {
      mayGoOn: async (_accountId: string, hello: string) => {
        asked.push(hello);
        return allowed.includes(hello);
      },
    },
    streams: Object.assign([...all], {
      end: (stream: FakeStream, code: string) => void ended.push([stream.dial.hello, code]),
    }),
    recheckMs: 0,
    linked: () => [],
    unlink: () => {},
  } as unknown as RecheckDeps;
  const stop = startRechecking(deps);
  stops.push(stop);
  const change = (accountId: string): void => {
    for (const listener of [...listeners]) listener(accountId);
  };
  return { ended, asked, change, stop };
}

test("a stream that no rule allows any more is ended as refused, and one that a rule allows goes on", async () => {
  const { ended, asked, change } = rechecking([streamOf("a", "kept"), streamOf("a", "lost")], ["kept"]);
  change("a");
  await until("the end", () => ended.length > 0);
  expect(asked).toEqual(["kept", "lost"]);
  expect(ended).toEqual([["lost", "refused"]]);
});

test("streams of other accounts, and those that are over, are not asked about", async () => {
  const all = [streamOf("b", "other"), streamOf("a", "over", true), streamOf("a", "last")];
  const { ended, asked, change } = rechecking(all, []);
  change("a");
  await until("the end", () => ended.length > 0);
  expect(asked).toEqual(["last"]);
  expect(ended).toEqual([["last", "refused"]]);
});

test("changes of several accounts are one round over all of them", async () => {
  const { ended, asked, change } = rechecking([streamOf("a", "one"), streamOf("b", "two")], []);
  change("a");
  change("b");
  change("a");
  await until("both ends", () => ended.length === 2);
  expect(asked).toEqual(["one", "two"]);
});

test("nothing is asked once it is stopped, not even for a change before that", async () => {
  const { asked, change, stop } = rechecking([streamOf("a", "one")], []);
  change("a");
  stop();
  change("a");
  const other = rechecking([streamOf("a", "later")], []);
  other.change("a");
  // Its timer was set later than the one that was stopped.
  await until("the other's end", () => other.ended.length === 1);
  expect(asked).toEqual([]);
});
