/**
 * Posture checks as an admin writes them, in the shape of NetBird's public API.
 *
 * @module
 */
import { z } from "zod";
import { Description, DisplayName, Id } from "./units.ts";

const Version = z
  .string()
  .max(64)
  .regex(/^\d+(?:\.\d+){0,3}(?:[-+][0-9A-Za-z.-]+)?$/, "is not a version (1.2.3)");
const MinVersionCheck = z.strictObject({ min_version: Version });
const MinKernelVersionCheck = z.strictObject({ min_kernel_version: Version });

/** All that are given must pass. */
export const PostureChecks = z.strictObject({
  /** Lowest version of qf. */
  nb_version_check: MinVersionCheck.optional(),
  /** A system that is not named here does not pass. */
  os_version_check: z
    .strictObject({
      darwin: MinVersionCheck.optional(),
      linux: MinKernelVersionCheck.optional(),
      windows: MinKernelVersionCheck.optional(),
    })
    .optional(),
  /** Address from which the peer reaches management. */
  peer_network_range_check: z
    .strictObject({
      ranges: z
        .array(z.union([z.cidrv4(), z.cidrv6()]))
        .min(1)
        .max(256),
      action: z.enum(["allow", "deny"]),
    })
    .optional(),
});
export type PostureChecks = z.infer<typeof PostureChecks>;

/** Body of POST and PUT. */
export const PostureCheckWrite = z.strictObject({
  name: DisplayName,
  description: Description,
  checks: PostureChecks.optional(),
});
export type PostureCheckWrite = z.infer<typeof PostureCheckWrite>;

export const PostureCheck = z.object({
  id: Id,
  name: z.string(),
  description: z.string().optional(),
  checks: PostureChecks,
});
export type PostureCheck = z.infer<typeof PostureCheck>;
