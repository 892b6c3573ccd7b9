/** Writes audit events into the spool in argv[2] until it is killed or refused, naming each stored number. */
import { openSpool } from "../../src/audit/spool.ts";
import { systemClock } from "../../src/base/clock.ts";
import { isQfError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";

const directory = process.argv[2] ?? "";
const { spool } = await openSpool({ directory, clock: systemClock, log: silentLog, segmentBytesMax: 16_384 });
let seq = (await spool.pending(1, 1_000_000, 1e9)).at(-1)?.seq ?? spool.nextUnacknowledged - 1;
for (;;) {
  const next = await spool.pending(seq + 1, 1_000_000, 1e9);
  if (next.length === 0) break;
  seq = next.at(-1)?.seq ?? seq;
}
try {
  for (;;) {
    await spool.record({ type: "agent.state", what: "started", detail: "x".repeat(100) });
    seq += 1;
    process.stdout.write(`${seq}\n`);
  }
} catch (error) {
  process.stdout.write(`${isQfError(error) ? error.code : String(error)}\n`);
}
