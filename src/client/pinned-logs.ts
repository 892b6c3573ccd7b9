/**
 * Log keys pinned by this device or its machine's agent. They verify an export without asking management.
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
 * Stores the checkpoint that came with a certificate; the first one pins its key. A checkpoint that
 * contradicts the stored one does not replace it. It is reported to the person and kept as evidence, since
 * management itself would not report it.
 */
export async function meetLog(folder: string, log: LogSeen): Promise<void> {
  const path = join(folder, "logs.json");
  // A damaged file is set aside and must not block a connection.
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

/** Keeps the first contradiction of each log only. */
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

/** Contradictions this device has seen, by log origin. */
export async function logAlarms(folder: string): Promise<LogAlarmsFile["alarms"]> {
  const stored = await readJsonState(join(folder, ALARMS_FILE), LogAlarmsFile).catch(() => undefined);
  return stored?.alarms ?? {};
}

/**
 * Pins the log's key at registration, unless one is pinned. After that no other key is accepted for that log.
 */
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
  // Several processes ask at once, so a smaller checkpoint may just be late. Machines compare those.
  if (ours === undefined || theirs.size !== ours.size) return null;
  return isSameHash(theirs.root, ours.root) ? null : "the account's audit log is not the one it was";
}

export interface PinnedLog {
  readonly keys: readonly NoteKey[];
  /** The largest checkpoint seen. */
  readonly checkpoints: readonly string[];
}

/**
 * The pin for the log `origin`: this device's, otherwise the machine's agent's. Empty when neither has seen
 * the log.
 */
export async function pinnedLog(environment: Environment, origin: string): Promise<PinnedLog> {
  const path = join(clientFolderPath(environment), "logs.json");
  const file = await readJsonState(path, PinnedLogsFile);
  const log = file?.logs[origin];
  if (log === undefined) return pinnedByAgent(environment, origin);
  return { keys: [{ name: origin, publicKey: log.key }], checkpoints: log.note === "" ? [] : [log.note] };
}

/** The pin that this machine's agent publishes. */
async function pinnedByAgent(environment: Environment, origin: string): Promise<PinnedLog> {
  for (const folder of clientStateDirs(process.geteuid?.() ?? 0, environment)) {
    try {
      // Never set aside when damaged: it is the agent's file.
      const text = await readFile(join(folder, "public/log.json"), "utf8");
      const { log, note } = PublicLogFile.parse(JSON.parse(text));
      if (log.origin !== origin) continue;
      return { keys: [{ name: origin, publicKey: log.key }], checkpoints: note === null ? [] : [note] };
    } catch {
      // No agent there, or it has seen no log.
    }
  }
  return { keys: [], checkpoints: [] };
}
