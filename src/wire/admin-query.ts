/**
 * Queries of the REST API. Unknown parameters are refused, as unknown fields of bodies are.
 *
 * @module
 */
import { z } from "zod";
import { Id } from "./units.ts";

const count = (max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, "is not a number")
    .transform(Number)
    .refine((value) => value <= max, `is above ${max}`);

export const NoQuery = z.strictObject({});

export const UserQuery = z.strictObject({
  /** `true`: service users only; `false`: people only. Absent: both. */
  service_user: z.enum(["true", "false"]).optional(),
});
export type UserQuery = z.infer<typeof UserQuery>;

export const PeerQuery = z.strictObject({
  /** Exact name. */
  name: z.string().max(253).optional(),
  /** Exact overlay address. */
  ip: z.string().max(64).optional(),
});
export type PeerQuery = z.infer<typeof PeerQuery>;

export const GroupQuery = z.strictObject({ name: z.string().max(128).optional() });
export type GroupQuery = z.infer<typeof GroupQuery>;

/** Most audit events in one answer. */
export const AUDIT_PAGE_MAX = 1_000;
/** Longest a question for newer events waits. */
export const AUDIT_WAIT_SECONDS_MAX = 25;

export const AuditQuery = z.strictObject({
  /** Default and most: 1000. */
  limit: count(AUDIT_PAGE_MAX).optional(),
  /** Only events after this id, oldest of them first: for following the log. */
  after_seq: count(Number.MAX_SAFE_INTEGER).optional(),
  /** Only events before this id, newest first: for paging back. */
  before_seq: count(Number.MAX_SAFE_INTEGER).optional(),
  /** With `after_seq`: waits so long for the first newer event. Default 0, most 25. */
  wait_seconds: count(AUDIT_WAIT_SECONDS_MAX).optional(),
  /** Only the denial with this receipt. */
  receipt: Id.optional(),
});
export type AuditQuery = z.infer<typeof AuditQuery>;

/** A name that somebody had and that nobody gets again until it is released. */
export const ReservedName = z.object({
  /** Labels below the account's domain. */
  name: z.string(),
  /** Who had it last; may be gone. */
  peer_id: Id,
  freed_at: z.iso.datetime(),
});
export type ReservedName = z.infer<typeof ReservedName>;

/** Answer to a deletion. */
export const Empty = z.object({});
