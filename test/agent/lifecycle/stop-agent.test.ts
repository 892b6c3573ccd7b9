import { expect, test } from "bun:test";
import { type Stopping, stopAgent } from "../../../src/agent/lifecycle/stop-agent.ts";
import { silentLog } from "../../../src/base/log.ts";

test("an agent that has made nothing yet gives its folder back, though parts fail", async () => {
  const done: string[] = [];
  const step = (what: string) => async () => {
    done.push(what);
    throw new Error(what);
  };
  await stopAgent({
    parts: { spool: { record: step("record"), close: step("spool") }, lock: { release: step("lock") } },
    log: silentLog,
    bootId: "",
    flags: {},
    succession: { endBefore: step("before"), close: step("run socket") },
  } as unknown as Stopping);
  expect(done).toEqual(["before", "record", "run socket", "spool", "lock"]);
});
