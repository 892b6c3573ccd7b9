/** A spool in a folder of the test's own, and events to put into it. */
import { afterEach } from "bun:test";
import { openSpool } from "../../src/audit/spool.ts";
import type { Spool, SpoolOptions } from "../../src/audit/spool-contract.ts";
import { isQfError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import type { AgentEventBody } from "../../src/wire/audit-event.ts";
import { FakeClock } from "./fake-clock.ts";

const spools: Spool[] = [];

/** Opens the spool of `directory`, closed after the test. */
export async function aSpool(directory: string, change: Partial<SpoolOptions> = {}): Promise<Spool> {
  const { spool } = await openSpool({ directory, clock: new FakeClock(), log: silentLog, ...change });
  spools.push(spool);
  return spool;
}

afterEach(async () => {
  for (const spool of spools.splice(0)) await spool.close();
});

/** Closes `spool` and opens its folder again. */
export async function reopened(
  spool: Spool,
  directory: string,
  change: Partial<SpoolOptions> = {},
): Promise<Spool> {
  spools.splice(spools.indexOf(spool), 1);
  await spool.close();
  return await aSpool(directory, change);
}

export function anEvent(detail: string): AgentEventBody {
  return { type: "agent.state", what: "started", detail };
}

/** Number and detail of each event that waits to be acknowledged. */
export async function details(spool: Spool, fromSeq = 1): Promise<string[]> {
  const events = await spool.pending(fromSeq, 10_000, 1e9);
  return events.map(({ seq, body }) => `${seq} ${body.type === "agent.state" ? body.detail : body.type}`);
}

/** `stored`, or the code with which the event was refused. */
export function outcomeOf(recording: Promise<void>): Promise<string> {
  return recording.then(
    () => "stored",
    (error: unknown) => (isQfError(error) ? error.code : String(error)),
  );
}
