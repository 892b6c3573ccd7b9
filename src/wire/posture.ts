/**
 * Posture checks as an admin writes them, in the shape of NetBird's public API.
 *
 * @module
 */
import { z } from "zod";
import { DisplayName } from "./display-name.ts";
import { unlessNull } from "./given.ts";
import { Description, Id } from "./units.ts";

const Version = z
  .string()
  .max(64)
  .regex(/^v?\d+(?:\.\d+){0,3}(?:[-+][0-9A-Za-z.-]+)?$/, "is not a version (1.2.3)");
const MinVersionCheck = z.strictObject({ min_version: Version });
const MinKernelVersionCheck = z.strictObject({ min_kernel_version: Version });

/** A condition of NetBird's that cannot be judged here. Null is none. */
function unavailable(why: string) {
  return z
    .unknown()
    .refine((check) => check === null, `is not available: ${why}`)
    .transform(() => undefined)
    .optional();
}

/** The conditions of a posture check. All that are given must hold. */
export const PostureChecks = z.strictObject({
  /** Lowest version of qf. */
  nb_version_check: unlessNull(MinVersionCheck),
  /** A system that is not named here does not pass. */
  os_version_check: unlessNull(
    z
      .strictObject({
        /** No device of ours runs these two: kept, and no other system passes for them. */
        android: unlessNull(MinVersionCheck),
        ios: unlessNull(MinVersionCheck),
        darwin: unlessNull(MinVersionCheck),
        linux: unlessNull(MinKernelVersionCheck),
        windows: unlessNull(MinKernelVersionCheck),
      })
      .refine((systems) => Object.values(systems).some((check) => check !== undefined), "names no system"),
  ),
  /** Address from which the peer reaches management. */
  peer_network_range_check: unlessNull(
    z.strictObject({
      ranges: z
        .array(z.union([z.cidrv4(), z.cidrv6()]))
        .min(1)
        .max(256),
      action: z.enum(["allow", "deny"]),
    }),
  ),
  geo_location_check: unavailable("this server does not know where addresses are"),
  process_check: unavailable("devices do not say what runs on them"),
});
export type PostureChecks = z.infer<typeof PostureChecks>;

/** Body of POST /api/posture-checks and PUT /api/posture-checks/{id}. */
export const PostureCheckWrite = z.object({
  name: DisplayName,
  description: unlessNull(Description),
  /** Strict: a condition that is not known cannot be met, nor may it be dropped. */
  checks: unlessNull(PostureChecks),
});
export type PostureCheckWrite = z.infer<typeof PostureCheckWrite>;

/** A posture check as /api/posture-checks answers it; NetBird's `PostureCheck`. */
export const PostureCheck = z.object({
  id: Id,
  name: z.string(),
  description: z.string(),
  checks: PostureChecks,
});
export type PostureCheck = z.infer<typeof PostureCheck>;
