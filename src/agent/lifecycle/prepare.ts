/**
 * Preparation before an agent runs: state folder, flags, and its place in an account.
 *
 * It runs in the command that a person started, so that a setup key or sign-in never leaves that process. The
 * agent started afterwards finds everything in the state folder.
 *
 * @module
 */
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, nowSeconds } from "../../base/clock.ts";
import { isQfError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { type ClientApi, createClientApi } from "../../client/client-api.ts";
import type { AgentStateFile, Enrolled } from "../../wire/agent-state-file.ts";
import type { ServedLog } from "../../wire/log-entry.ts";
import { type FlagChange, resolveFlags } from "../contracts/flags.ts";
import { moveOf } from "../control-link/follow-move.ts";
import { openKeys, prepareStateDir, readAgentFile, type StatePaths, writeAgentFile } from "../state/state.ts";
import { lockState } from "../state/state-lock.ts";
import { enrol, type SignInForMachine } from "./enrol.ts";
import { openWitness } from "./open-witness.ts";

export interface PrepareOptions {
  readonly stateDir: string;
  readonly given: FlagChange;
  readonly setupKey: string | undefined;
  readonly signIn: SignInForMachine | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly fetch?: typeof fetch;
}

/**
 * Enrols if necessary and writes `agent.json`. An enrolled machine without changes needs no network. Throws
 * ERR_CONFLICT while an agent runs on the folder, ERR_USAGE for contradictory flags, ERR_STATE_DAMAGED, and
 * management's own errors.
 */
export async function prepareAgent(options: PrepareOptions): Promise<AgentStateFile> {
  const paths = await prepareStateDir(options.stateDir);
  const lock = await lockState(options.stateDir);
  try {
    const before = await readAgentFile(paths);
    const flags = resolveFlags(options.given, before?.flags);
    const enrolled = await findPlace(options, paths, { format: 1, ...before, flags }, before);
    const file: AgentStateFile = { format: 1, flags, enrolled };
    await writeAgentFile(paths, file);
    return file;
  } finally {
    await lock.release();
  }
}

async function findPlace(
  options: PrepareOptions,
  paths: StatePaths,
  wanted: AgentStateFile,
  before: AgentStateFile | undefined,
): Promise<Enrolled> {
  const { flags, enrolled } = wanted;
  const keys = await openKeys(paths, { mustExist: enrolled !== undefined });
  const isHere = enrolled !== undefined && enrolled.origin === flags.managementUrl;
  const isRenamed = before !== undefined && before.flags.name !== flags.name;
  if (isHere && !isRenamed && options.setupKey === undefined) return enrolled;
  const fetchOption = options.fetch === undefined ? {} : { fetch: options.fetch };
  const api = createClientApi({ url: flags.managementUrl, ...fetchOption });
  try {
    const { clock, setupKey, signIn } = options;
    const moved =
      setupKey === undefined && !isRenamed ? await movedPlace(options, paths, { enrolled, api }) : null;
    if (moved !== null) return moved;
    const { place: found, log } = await enrol({
      api,
      clock,
      keys,
      name: flags.name,
      setupKey,
      signIn,
      enrolled,
    });
    // A new place has other maps, whose versions are unrelated to the old ones.
    if (found.peerId !== enrolled?.peerId || found.origin !== enrolled.origin) await forgetMap(paths);
    if (log !== undefined) await pinLog(paths, options, log);
    return found;
  } catch (error) {
    // An enrolled machine can start without management, and repeating a setup key changes nothing.
    if (!isHere || isRenamed || !(isQfError(error, "ERR_UNAVAILABLE") || isQfError(error, "ERR_TIMEOUT"))) {
      throw error;
    }
    options.log.warn("management cannot be reached; this machine stays enrolled as it is");
    return enrolled;
  }
}

/**
 * The machine's place at the new address from root's flags, if the pinned log's key confirms that management
 * has moved there. Null: it does not, and the machine enrols anew.
 */
async function movedPlace(
  { clock, log }: Pick<PrepareOptions, "clock" | "log">,
  paths: StatePaths,
  { enrolled, api }: { readonly enrolled: Enrolled | undefined; readonly api: ClientApi },
): Promise<Enrolled | null> {
  if (enrolled === undefined || enrolled.origin === api.origin) return null;
  const config = await api.config();
  if (config.log === undefined || config.accountId !== enrolled.accountId) return null;
  const witness = await openWitness(paths, { clock, log, sink: { record: async () => {} } });
  const move = await moveOf(witness, config.log, { from: enrolled.origin, nowSeconds: nowSeconds(clock) });
  if (move?.to !== api.origin) return null;
  log.warn("management has moved, by the word of the audit log's key", { from: move.from, to: move.to });
  const movedFrom = { origin: move.from, untilSeconds: move.until_seconds };
  return { ...enrolled, origin: move.to, movedFrom };
}

/** From now on no management can present another log to this machine. */
async function pinLog(
  paths: StatePaths,
  { clock, log }: Pick<PrepareOptions, "clock" | "log">,
  served: ServedLog,
): Promise<void> {
  // Alarms are kept in the file, and reported by the agent that starts.
  const sink = { record: async () => {} };
  const witness = await openWitness(paths, { clock, log, sink });
  await witness.pin(served);
}

async function forgetMap(paths: StatePaths): Promise<void> {
  const batches = join(paths.audit, "batches.jsonl");
  const gone = [paths.map, paths.confirmed, paths.witness, paths.publicLog, batches];
  for (const path of gone) await unlink(path).catch(() => {});
}
