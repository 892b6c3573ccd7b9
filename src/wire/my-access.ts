/**
 * `GET /api/my/access`: the machines a person may reach from a device, as whom, and why not.
 *
 * Ours, beside NetBird's API. `qf ls` and the page "My access" show it.
 *
 * @module
 */
import { z } from "zod";
import { ReasonCode } from "./reason.ts";
import { Id, PeerId } from "./units.ts";

/** Most machines in one answer; `total` says how many there are. */
export const MY_MACHINES_MAX = 1_000;

/** Query. `device`: one of the caller's own devices. Absent: the login's, otherwise the last one used. */
export const MyAccessQuery = z.object({ device: Id.optional() });
/** As parsed. */
export type MyAccessQuery = z.infer<typeof MyAccessQuery>;

/** One machine that a network rule opens for the device. */
export const MyMachine = z.object({
  id: PeerId,
  name: z.string(),
  dns_label: z.string(),
  ip: z.string(),
  connected: z.boolean(),
  /** Local users the person may be there now; `["*"]` is any. Empty: none, for `reason`. */
  local_users: z.array(z.string()),
  /** Why there is no access. Null if there is. */
  reason: ReasonCode.nullable(),
  /** The reason in words, with the next step. Null if `reason` is. */
  sentence: z.string().nullable(),
  hint: z.string().nullable(),
});
/** As parsed. */
export type MyMachine = z.infer<typeof MyMachine>;

/** The answer: machines by name. */
export const MyAccess = z.object({
  /** The device the answer is for. Null: the person has none, so no access that needs one. */
  device: z.object({ id: PeerId, name: z.string() }).nullable(),
  total: z.int(),
  machines: z.array(MyMachine),
});
/** As parsed. */
export type MyAccess = z.infer<typeof MyAccess>;
