/**
 * The part of NetBird's REST API that `qf import netbird` reads. These are another server's answers: unknown
 * fields are ignored, known ones are checked.
 *
 * @module
 */
import { z } from "zod";

const text = z.string().max(4_096);
const name = z.string().max(1_024);
const ids = z.array(z.string().max(256)).max(10_000).nullish();

/** GET /api/groups. */
export const NetBirdGroup = z.object({ id: text, name });
export type NetBirdGroup = z.infer<typeof NetBirdGroup>;

/** GET /api/users. */
export const NetBirdUser = z.object({
  id: text,
  name: name.nullish(),
  email: text.nullish(),
  role: text.nullish(),
  auto_groups: ids,
  is_service_user: z.boolean().nullish(),
  is_blocked: z.boolean().nullish(),
});
export type NetBirdUser = z.infer<typeof NetBirdUser>;

/** GET /api/setup-keys. Never includes the key itself. */
export const NetBirdSetupKey = z.object({
  name,
  type: z.enum(["reusable", "one-off"]),
  expires: text,
  valid: z.boolean(),
  auto_groups: ids,
  usage_limit: z.int().min(0),
});
export type NetBirdSetupKey = z.infer<typeof NetBirdSetupKey>;

const groupsOfRule = z
  .array(z.object({ id: text, name }))
  .max(10_000)
  .nullish();

/** A rule of a NetBird policy. */
export const NetBirdRule = z.object({
  name,
  description: text.nullish(),
  enabled: z.boolean(),
  action: z.enum(["accept", "drop"]),
  bidirectional: z.boolean(),
  protocol: text,
  ports: z.array(text).nullish(),
  port_ranges: z.array(z.object({ start: z.int(), end: z.int() })).nullish(),
  sources: groupsOfRule,
  destinations: groupsOfRule,
  sourceResource: z.object({ id: text, type: text }).nullish(),
  destinationResource: z.object({ id: text, type: text }).nullish(),
  authorized_groups: z.record(text, z.array(text).nullable()).nullish(),
});
export type NetBirdRule = z.infer<typeof NetBirdRule>;

/** GET /api/policies. */
export const NetBirdPolicy = z.object({
  name,
  description: text.nullish(),
  enabled: z.boolean(),
  source_posture_checks: ids,
  rules: z.array(NetBirdRule),
});
export type NetBirdPolicy = z.infer<typeof NetBirdPolicy>;
