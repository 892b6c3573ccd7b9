/**
 * The report of `qf selftest attack`.
 *
 * @module
 */
import { z } from "zod";

/** One attack and its result. */
export const AttackResult = z.object({
  /** For machines; added, never renamed. */
  id: z.string(),
  /** Where it was tried: a URL, or HOST:PORT. */
  target: z.string(),
  /** What was tried, in a sentence. */
  tried: z.string(),
  /** `held`: it was refused. `broke`: it was not. `skipped`: it could not be tried. */
  outcome: z.enum(["held", "broke", "skipped"]),
  /** What was seen where it broke, or why it was skipped. Null: it held. */
  detail: z.string().nullable(),
});
export type AttackResult = z.infer<typeof AttackResult>;

/** Everything that was tried. */
export const AttackReport = z.object({
  /** Whether nothing broke. */
  held: z.boolean(),
  results: z.array(AttackResult),
});
export type AttackReport = z.infer<typeof AttackReport>;
