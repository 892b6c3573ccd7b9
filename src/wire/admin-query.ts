/**
 * Queries of the REST API. Unknown parameters are ignored and named in the answer's `X-Ignored` header.
 *
 * @module
 */
import { z } from "zod";
import { RECORDING_CHUNK_COUNT_MAX } from "./recording.ts";
import { Id } from "./units.ts";

/** A whole number in a query. */
export const count = (max: number, min = 0) =>
  z
    .string()
    .regex(/^\d{1,15}$/, "is not a number")
    .transform(Number)
    .refine((value) => value >= min && value <= max, `is not from ${min} to ${max}`);

/** Query of a route that takes none. */
export const NoQuery = z.object({});

/** Query of a save that runs the account's policy tests. */
export const SaveQuery = z.object({
  /** `true` saves even if a test fails. Audited. */
  force: z.enum(["true", "false"]).optional(),
});
export type SaveQuery = z.infer<typeof SaveQuery>;

/** Most entries of one page of a list. */
export const PAGE_MAX = 1_000;

/** Parameters of every list. Without either, the whole list is returned. */
const page = {
  /** Most entries, in id order. The response's `Link` header leads to the next page. */
  limit: count(PAGE_MAX, 1).optional(),
  /** Where the previous page ended: only entries after it. */
  cursor: z.string().max(64).optional(),
};
/** Query of a list without filters. */
export const PageQuery = z.object(page);
export type PageQuery = z.infer<typeof PageQuery>;

/** Query of GET /api/policy/history. */
export const HistoryQuery = z.object({
  /** Most states in the answer, newest first. Default 50. */
  limit: count(100, 1).optional(),
  /** Only states below this number. */
  cursor: count(9_999_999_999, 1).optional(),
});
export type HistoryQuery = z.infer<typeof HistoryQuery>;

/** Query of GET /api/users. */
export const UserQuery = z.object({
  ...page,
  /** `true`: service users only; `false`: people only. Absent: both. */
  service_user: z.enum(["true", "false"]).optional(),
});
export type UserQuery = z.infer<typeof UserQuery>;

/** Query of GET /api/peers. Both conditions must hold where both are given. */
export const PeerQuery = z.object({
  ...page,
  /** Part of the name, in any case. */
  name: z.string().max(1024).optional(),
  /** Prefix of the overlay address. */
  ip: z.string().max(64).optional(),
});
export type PeerQuery = z.infer<typeof PeerQuery>;

/** Query of GET /api/recordings, newest first. All given conditions must hold. */
export const RecordingQuery = z.object({
  /** Default and maximum 1000. The response's `Link` header leads to the next page. */
  limit: count(PAGE_MAX, 1).optional(),
  /** Where the previous page ended. */
  cursor: z
    .string()
    .regex(/^\d{1,15}\.[a-z0-9]{20}$/, "is not a cursor")
    .optional(),
  machine_id: Id.optional(),
  /** Only this connection's; with `session_id`, only one session in it. */
  connection_id: Id.optional(),
  session_id: count(1_000_000).optional(),
});
export type RecordingQuery = z.infer<typeof RecordingQuery>;

/** Query of GET /api/recordings/{id}/chunks. */
export const RecordingChunksQuery = z.object({
  /** Number of the first chunk wanted. Default 0. */
  from: count(RECORDING_CHUNK_COUNT_MAX).optional(),
});
export type RecordingChunksQuery = z.infer<typeof RecordingChunksQuery>;

/** Query of GET /api/groups. */
export const GroupQuery = z.object({
  ...page,
  /** Exact name. A name that no group has is an error. */
  name: z.string().max(1024).optional(),
});
export type GroupQuery = z.infer<typeof GroupQuery>;

/** Most audit events in one answer. */
export const AUDIT_PAGE_MAX = 1_000;
/** Longest wait of a request for newer events, in seconds. */
export const AUDIT_WAIT_SECONDS_MAX = 25;

/**
 * Query of GET /api/events/audit. `after_seq` wins over `before_seq`; without either, the newest events are
 * returned.
 */
export const AuditQuery = z.object({
  /** Default and most: 1000. */
  limit: count(AUDIT_PAGE_MAX).optional(),
  /** Same as `before_seq`. */
  cursor: count(Number.MAX_SAFE_INTEGER).optional(),
  /** Only events after this id, oldest first: for following the log. */
  after_seq: count(Number.MAX_SAFE_INTEGER).optional(),
  /** Only events before this id, newest first: for paging back. */
  before_seq: count(Number.MAX_SAFE_INTEGER).optional(),
  /** With `after_seq`: how long to wait for the first newer event, in seconds. Default 0, at most 25. */
  wait_seconds: count(AUDIT_WAIT_SECONDS_MAX).optional(),
  /** Only the denial with this receipt. */
  receipt: Id.optional(),
  /** Only events of this person: exact id, e-mail address or name. */
  user: z.string().min(1).max(254).optional(),
  /** Only events that this peer reported or that concern it: exact id or name. */
  machine: z.string().min(1).max(253).optional(),
  /** Only this activity code, or with a final `.*` all codes with that prefix: `ssh.*`. */
  activity: z
    .string()
    .max(64)
    .regex(/^[a-z][a-z._]*(?:\.\*)?$/, "is not an activity code")
    .optional(),
  /** Only events at or after this time. */
  since: z.iso.datetime({ offset: true }).optional(),
  /** Only events before this time. */
  until: z.iso.datetime({ offset: true }).optional(),
});
export type AuditQuery = z.infer<typeof AuditQuery>;

/** The name of a former peer, which no other peer gets until it is released. */
export const ReservedName = z.object({
  /** Labels below the account's domain. */
  name: z.string(),
  /** Its last holder, which may be deleted. */
  peer_id: Id,
  freed_at: z.iso.datetime(),
});
export type ReservedName = z.infer<typeof ReservedName>;

/** Response to a deletion; also the entry type of lists that are always empty. */
export const Empty = z.object({});

/** NetBird's groups without managed DNS. Always empty: there is no such DNS here. */
export const DnsSettings = z.object({ disabled_management_groups: z.array(z.string()) });
