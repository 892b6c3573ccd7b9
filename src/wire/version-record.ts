/**
 * `versions.json` in the state folder: which releases ran on this machine.
 *
 * @module
 */
import { z } from "zod";
import { ReleaseVersion } from "./release.ts";

/** What an upgrade leaves for the next one. */
export const VersionRecord = z.object({
  format: z.literal(1),
  /** Highest version that ever came up here. Nothing below it is installed unless root says so. */
  highest: ReleaseVersion,
});
export type VersionRecord = z.infer<typeof VersionRecord>;
