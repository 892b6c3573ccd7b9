/**
 * Findings of `qf doctor`, one line each: shapes, and how they are made.
 *
 * @module
 */
import { z } from "zod";

/** What a finding is about, in the order in which they are told. */
export const FINDING_AREAS = ["client", "management", "login", "device", "ssh", "agent", "machine"] as const;

export const Finding = z.object({
  area: z.enum(FINDING_AREAS),
  /** For machines; added, never renamed. */
  code: z.string().max(64),
  /** `note`: not wrong, and worth knowing. */
  status: z.enum(["ok", "note", "problem"]),
  /** One sentence, lower case, no full stop. */
  message: z.string(),
  /** What to do about it. Null: nothing has to be done. */
  fix: z.string().nullable(),
});
export type Finding = z.infer<typeof Finding>;

/** `qf doctor --json`. */
export const DoctorReport = z.object({
  /** Whether there is no problem among the findings. */
  healthy: z.boolean(),
  findings: z.array(Finding),
});
export type DoctorReport = z.infer<typeof DoctorReport>;

type Area = Finding["area"];

export function fine(area: Area, code: string, message: string): Finding {
  return { area, code, status: "ok", message, fix: null };
}

export function note(area: Area, code: string, message: string, fix: string | null = null): Finding {
  return { area, code, status: "note", message, fix };
}

export function problem(area: Area, code: string, message: string, fix: string): Finding {
  return { area, code, status: "problem", message, fix };
}
