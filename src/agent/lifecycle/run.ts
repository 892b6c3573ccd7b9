/**
 * Starts the agent of an enrolled state folder: opens lock, keys and spool, then passes them to
 * `running-agent.ts`. Enrolment comes before (`prepare.ts`).
 *
 * @module
 */
import { BatchJournal } from "../../audit/batch-journal.ts";
import { openSpool } from "../../audit/spool.ts";
import { systemClock } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { openKeys, prepareStateDir, readAgentFile, removeUnfinished } from "../state/state.ts";
import { lockState } from "../state/state-lock.ts";
import type { Agent, StartAgentOptions } from "./agent-parts.ts";
import { openWitness } from "./open-witness.ts";
import { RunningAgent } from "./running-agent.ts";

/**
 * Starts the agent of `stateDir`, which must be enrolled. Throws ERR_NOT_ENROLLED, ERR_CONFLICT (another
 * agent runs), ERR_STATE_DAMAGED, ERR_ADDRESS_IN_USE …, after releasing everything.
 */
export async function startAgent(options: StartAgentOptions): Promise<Agent> {
  const paths = await prepareStateDir(options.stateDir);
  const lock = await lockState(options.stateDir);
  const undo: (() => Promise<unknown>)[] = [() => lock.release()];
  try {
    await removeUnfinished(paths);
    const file = await readAgentFile(paths);
    if (file?.enrolled === undefined) {
      throw new QfError("ERR_NOT_ENROLLED", `the state folder ${options.stateDir} is not enrolled`, {
        hint: "run qf agent up with --management-url and --setup-key",
      });
    }
    const keys = await openKeys(paths, { mustExist: true });
    const clock = options.clock ?? systemClock;
    const { log } = options;
    const journal = await BatchJournal.open(paths.audit);
    const releasedThrough = journal.provenThrough;
    const { spool } = await openSpool({ directory: paths.audit, clock, log, releasedThrough });
    undo.unshift(() => spool.close());
    const witness = { log: await openWitness(paths, { clock, log, sink: spool }), journal };
    const parts = { paths, lock, keys, clock, spool, witness };
    const agent = new RunningAgent(options, parts, file.flags, file.enrolled);
    undo.unshift(() => agent.stop());
    await agent.start();
    return agent;
  } catch (cause) {
    for (const step of undo) await step().catch(() => {});
    options.inherited?.close();
    throw cause;
  }
}
