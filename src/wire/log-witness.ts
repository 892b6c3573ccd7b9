/**
 * `<state>/log.json` (0600) of an agent, and `<state>/public/log.json` (0644): what this machine has seen of
 * its account's log.
 *
 * @module
 */
import { z } from "zod";
import { lazySchema } from "./lazy-schema.ts";
import { LogIdentity } from "./log-entry.ts";
import { Ed25519PublicKey } from "./units.ts";

const note = z.string().max(4096);
const ms = z.int().min(0);

/** Two signed checkpoints that contradict each other, or a key that is not the log's. */
export const LogAlarm = lazySchema(() =>
  z.strictObject({
    kind: z.enum(["forked", "cut_back", "other_key", "own_key"]),
    atMs: ms,
    /** The note this machine had, and the one it was shown. */
    ours: note,
    theirs: note,
  }),
);
export type LogAlarm = z.infer<typeof LogAlarm>;

/** `<state>/log.json`: the pinned log, checkpoints of it, and alarms. */
export const LogWitnessFile = lazySchema(() =>
  z.strictObject({
    format: z.literal(1),
    /** Pinned at enrolment, or when the log was first seen. */
    log: LogIdentity,
    /** Earlier keys of the log, which vouched for this one. Absent: none. */
    older: z.array(Ed25519PublicKey).max(64).optional(),
    /** The largest checkpoint and some older ones, largest last. */
    notes: z.array(z.strictObject({ atMs: ms, note })).max(16),
    alarms: z.array(LogAlarm).max(8),
  }),
);
export type LogWitnessFile = z.infer<typeof LogWitnessFile>;

/** Readable by everyone on the machine, to verify exports. */
export const PublicLogFile = lazySchema(() =>
  z.strictObject({
    format: z.literal(1),
    log: LogIdentity,
    note: note.nullable(),
  }),
);
export type PublicLogFile = z.infer<typeof PublicLogFile>;
