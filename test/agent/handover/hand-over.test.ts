/** An agent's parts, each of which notes that it was given up. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import type { ServerContext } from "../../../src/agent/contracts/server-context.ts";
import { handOver, type Leaving } from "../../../src/agent/handover/hand-over.ts";
import { silentLog } from "../../../src/base/log.ts";
import { FakeSsh } from "../../support/agent.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { anId } from "../../support/policy.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

test("everything is given up in order, whatever fails, and sessions end where nobody follows", async () => {
  const done: string[] = [];
  const note = (what: string) => () => void done.push(what);
  const fail = (what: string) => () => {
    done.push(what);
    throw new Error(what);
  };
  const ssh = new FakeSsh({} as ServerContext);
  const bootId = anId("boot");
  const known = { startSeconds: 7, hellos: [] };
  const leaving = {
    ...{ clock: new FakeClock(), log: silentLog, bootId, runPath: join(tempFolder(), "run.sock"), ssh },
    ...{ watch: { stop: note("watch") }, programs: { close: note("programs") } },
    listeners: { listening: () => [], leave: note("listeners"), gate: { known: () => known } },
    sink: { switchTo: note("sink") },
    sync: { close: fail("sync") },
    predecessors: { close: note("predecessors") },
    maps: { flush: fail("maps"), detach: note("detach"), position: () => ({ epoch: 0, version: 0 }) },
    spool: { close: note("spool") },
    lock: { release: note("lock") },
    ...{ control: { close: fail("control") }, stdio: { close: note("stdio") } },
    runSocket: { close: note("run socket") },
    approvals: { attach() {}, detach() {} },
    onFlags: () => {},
  } as unknown as Leaving;
  const handedOver = await handOver(leaving);
  const given = [
    "watch",
    "listeners",
    "sink",
    "sync",
    "programs",
    "predecessors",
    "maps",
    "detach",
    "spool",
    "lock",
  ];
  expect(done).toEqual(given);
  expect(handedOver.inheritance).toEqual({ bootId, ...known, listeners: [] });
  expect(ssh.isClosed).toBe(false);
  await handedOver.drain.end();
  expect(ssh.isClosed).toBe(true);
  await until("the sockets", () => done.includes("run socket"));
  expect(done.slice(given.length)).toEqual(["control", "stdio", "run socket"]);
});
