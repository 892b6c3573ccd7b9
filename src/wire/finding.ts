/**
 * Findings of `qf doctor`, one line each: shapes, and how they are made.
 *
 * @module
 */
import { z } from "zod";

/** Areas of findings, in the order in which they are shown. */
export const FINDING_AREAS = [
  "client",
  "management",
  "provider",
  "login",
  "device",
  "ssh",
  "agent",
  "machine",
] as const;

/** One finding: an area, a code for machines, a sentence for people and the next step. */
export const Finding = z.object({
  area: z.enum(FINDING_AREAS),
  /** For programs. Codes are added, never renamed. */
  code: z.string().max(64),
  /** `note`: not a problem, but worth knowing. */
  status: z.enum(["ok", "note", "problem"]),
  /** One sentence, lower case, no full stop. */
  message: z.string(),
  /** What to do about it. Null: nothing. */
  fix: z.string().nullable(),
});
export type Finding = z.infer<typeof Finding>;

/** The JSON that `qf doctor --json` prints. */
export const DoctorReport = z.object({
  /** True when no finding is a problem. */
  healthy: z.boolean(),
  findings: z.array(Finding),
});
export type DoctorReport = z.infer<typeof DoctorReport>;

type Area = Finding["area"];

/** A finding that all is well. */
export function fine(area: Area, code: string, message: string): Finding {
  return { area, code, status: "ok", message, fix: null };
}

/** A finding that is not wrong, and worth knowing. `fix`: what may be done. Default null: nothing. */
export function note(area: Area, code: string, message: string, fix: string | null = null): Finding {
  return { area, code, status: "note", message, fix };
}

/** A finding that something is wrong, with what to do about it. */
export function problem(area: Area, code: string, message: string, fix: string): Finding {
  return { area, code, status: "problem", message, fix };
}
