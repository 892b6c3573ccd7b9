/**
 * Opens this machine's record of the account's log: the checkpoints that it has seen.
 *
 * A damaged file is set aside by name. The log then counts as new and is pinned again.
 *
 * @module
 */
import type { AuditSink } from "../../audit/sink.ts";
import type { Clock } from "../../base/clock.ts";
import { isQfError } from "../../base/errors.ts";
import { readJsonState, writeJsonAtomic } from "../../base/files.ts";
import type { Log } from "../../base/log.ts";
import { LogWitnessFile, type PublicLogFile } from "../../wire/log-witness.ts";
import { LogWitness } from "../control-link/log-witness.ts";
import { alertSystem } from "../os/system-log.ts";
import type { StatePaths } from "../state/state.ts";

/** `sink` records alarms as events. */
export async function openWitness(
  paths: Pick<StatePaths, "witness" | "publicLog">,
  { clock, log, sink }: { readonly clock: Clock; readonly log: Log; readonly sink: AuditSink },
): Promise<LogWitness> {
  return new LogWitness({
    clock,
    log,
    stored: await readStored(paths.witness, log),
    save: async (file) => {
      await writeJsonAtomic(paths.witness, file, 0o600);
      const shown: PublicLogFile = { format: 1, log: file.log, note: file.notes.at(-1)?.note ?? null };
      await writeJsonAtomic(paths.publicLog, shown, 0o644);
    },
    alert: alertSystem,
    report: (sentence) => {
      sink
        .record({ type: "agent.state", what: "log_differs", detail: sentence.slice(0, 512) })
        .catch((cause: unknown) => log.error("an alarm about the log could not be recorded", {}, cause));
    },
  });
}

async function readStored(path: string, log: Log): Promise<LogWitnessFile | undefined> {
  try {
    return await readJsonState(path, LogWitnessFile);
  } catch (cause) {
    if (!isQfError(cause, "ERR_STATE_DAMAGED")) throw cause;
    log.error("the checkpoints that this machine has seen cannot be read", {}, cause);
    return undefined;
  }
}
