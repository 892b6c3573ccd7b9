/**
 * The log keys that this device or its machine's agent has pinned: by them an export is believed, without
 * asking management.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readJsonState, writeJsonAtomic } from "../base/files.ts";
import { clientStateDirs } from "../base/state-dir.ts";
import { type NoteKey, openCheckpoint, type ReadNote, readNote } from "../log/checkpoint.ts";
import { followHandovers } from "../log/key-handover.ts";
import { isSameHash } from "../log/tree-hash.ts";
import type { LogSeen } from "../wire/client-api.ts";
import type { LogIdentity } from "../wire/log-entry.ts";
import { PublicLogFile } from "../wire/log-witness.ts";
import { LogAlarmsFile, PinnedLogsFile } from "../wire/state-file.ts";
import { clientFolderPath, type Environment } from "./client-folder.ts";

export const ALARMS_FILE = "log-alarms.json";

/**
 * Notes the checkpoint that came with a certificate; the first one pins its key. What contradicts the one
 * before is said to the person and kept as evidence, and does not replace what is noted: management, whose
 * log it is, will not say it.
 */
export async function meetLog(folder: string, log: LogSeen): Promise<void> {
  const path = join(folder, "logs.json");
  // A damaged file is set aside, and keeps nobody out.
  const stored = await readJsonState(path, PinnedLogsFile).catch(() => undefined);
  const file = stored ?? { format: 1 as const, logs: {} };
  const known = file.logs[log.origin];
  const key = { name: log.origin, publicKey: log.key };
  const theirs = openCheckpoint(log.note, [key]);
  if (theirs === undefined) return;
  const ours = known === undefined ? undefined : readNote(known.note);
  const isVouched =
    known !== undefined &&
    followHandovers({ origin: log.origin, key: known.key }, log.handovers ?? []).at(-1) === log.key;
  const problem = problemOf(isVouched ? log.key : known?.key, ours, { key, theirs });
  if (problem !== null) {
    process.stderr.write(`qf: warning: ${problem}\n`);
    await keepAlarm(folder, log.origin, { what: problem, notes: [known?.note ?? "", log.note] });
    return;
  }
  if (ours !== undefined && theirs.size <= ours.size) return;
  const logs = { ...file.logs, [log.origin]: { key: log.key, note: log.note } };
  await writeJsonAtomic(path, { format: 1, logs }, 0o600).catch(() => {}); // A full disk keeps nobody out.
}

/** Keeps the first contradiction of a log; later ones add nothing to it. */
async function keepAlarm(
  folder: string,
  origin: string,
  alarm: LogAlarmsFile["alarms"][string],
): Promise<void> {
  const alarms = await logAlarms(folder);
  if (alarms[origin] !== undefined) return;
  const path = join(folder, ALARMS_FILE);
  await writeJsonAtomic(path, { format: 1, alarms: { ...alarms, [origin]: alarm } }, 0o600).catch(() => {});
}

/** What this device has seen of logs that contradict themselves, by their origins. */
export async function logAlarms(folder: string): Promise<LogAlarmsFile["alarms"]> {
  const stored = await readJsonState(join(folder, ALARMS_FILE), LogAlarmsFile).catch(() => undefined);
  return stored?.alarms ?? {};
}

/** Pins the log's key at registration, unless one is: from here on no other key speaks for that log. */
export async function pinLog(folder: string, { origin, key }: LogIdentity): Promise<void> {
  const path = join(folder, "logs.json");
  const stored = await readJsonState(path, PinnedLogsFile).catch(() => undefined);
  if (stored?.logs[origin] !== undefined) return;
  const logs = { ...stored?.logs, [origin]: { key, note: "" } };
  await writeJsonAtomic(path, { format: 1, logs }, 0o600).catch(() => {}); // A full disk keeps nobody out.
}

function problemOf(
  pinned: string | undefined,
  ours: ReadNote | undefined,
  { key, theirs }: { readonly key: NoteKey; readonly theirs: ReadNote },
): string | null {
  if (pinned !== undefined && pinned !== key.publicKey) {
    return "management signs the account's audit log with another key than before";
  }
  // A smaller one may have been overtaken on its way: several of us ask at once. Machines compare those.
  if (ours === undefined || theirs.size !== ours.size) return null;
  return isSameHash(theirs.root, ours.root) ? null : "the account's audit log is not the one it was";
}

export interface PinnedLog {
  readonly keys: readonly NoteKey[];
  /** The largest checkpoint that was seen. */
  readonly checkpoints: readonly string[];
}

/**
 * What is pinned of the log of that name: by this device, else by this machine's agent. Nothing, where
 * neither has met it.
 */
export async function pinnedLog(environment: Environment, origin: string): Promise<PinnedLog> {
  const path = join(clientFolderPath(environment), "logs.json");
  const file = await readJsonState(path, PinnedLogsFile);
  const log = file?.logs[origin];
  if (log === undefined) return pinnedByAgent(environment, origin);
  return { keys: [{ name: origin, publicKey: log.key }], checkpoints: log.note === "" ? [] : [log.note] };
}

/** What this machine's agent tells everyone on it. */
async function pinnedByAgent(environment: Environment, origin: string): Promise<PinnedLog> {
  for (const folder of clientStateDirs(process.geteuid?.() ?? 0, environment)) {
    try {
      // Not ours to set aside: the agent owns it.
      const text = await readFile(join(folder, "public/log.json"), "utf8");
      const { log, note } = PublicLogFile.parse(JSON.parse(text));
      if (log.origin !== origin) continue;
      return { keys: [{ name: origin, publicKey: log.key }], checkpoints: note === null ? [] : [note] };
    } catch {
      // No agent there, or none that has met a log.
    }
  }
  return { keys: [], checkpoints: [] };
}
