/**
 * `FILE.cursor` beside `--audit-file FILE` (0600): how far each account's log has been written.
 *
 * @module
 */
import { z } from "zod";
import { AccountId } from "./units.ts";

/** The last entry in the file, by account. */
export const AuditCursorFile = z.strictObject({
  format: z.literal(1),
  written: z.record(AccountId, z.int().min(0)),
});
export type AuditCursorFile = z.infer<typeof AuditCursorFile>;
