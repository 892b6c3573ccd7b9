/**
 * Upgrade orders from management to a machine, and reports on them, as `qf upgrade` stores them in the state
 * folder and the agent sends them.
 *
 * @module
 */
import { z } from "zod";
import { ReleaseVersion } from "./release.ts";
import { Id } from "./units.ts";

/** An order to run another release. The machine checks everything else by itself. */
export const UpgradeOrder = z.object({
  /** New with each order: one that comes again is the same. */
  orderId: Id,
  version: ReleaseVersion,
});
export type UpgradeOrder = z.infer<typeof UpgradeOrder>;

/** Of one order. `refused`: the machine is not one that takes orders; `failed`: it is as it was. */
export const UpgradeReport = z.strictObject({
  orderId: Id,
  state: z.enum(["working", "restarting", "done", "refused", "failed"]),
  /** Why it was refused or has failed. Empty: nothing is to be said. */
  detail: z.string().max(512),
});
export type UpgradeReport = z.infer<typeof UpgradeReport>;

/** `<state>/upgrade.json` (0600): the last order, and what became of it. */
export const UpgradeRecord = UpgradeReport.extend({ format: z.literal(1) });
export type UpgradeRecord = z.infer<typeof UpgradeRecord>;
