/**
 * The log in the REST API: checkpoints, proofs, and the parts of an export.
 *
 * @module
 */
import { z } from "zod";
import { AUDIT_PAGE_MAX, count } from "./admin-query.ts";
import { Proof, TreeHash } from "./log-entry.ts";

const seq = count(Number.MAX_SAFE_INTEGER, 1);
const size = count(Number.MAX_SAFE_INTEGER);
const number = z.int().min(0);

/** Answer of GET /api/events/audit/checkpoint. */
export const LogCheckpoint = z.object({
  /** The signed note (C2SP tlog-checkpoint). The other fields repeat its content. */
  note: z.string().max(4096),
  origin: z.string(),
  size: number,
  root: TreeHash,
  made_at: z.iso.datetime(),
  /** Verifier keys in the format of Go's `note.NewVerifier`, newest last. */
  keys: z.array(z.string()),
});
export type LogCheckpoint = z.infer<typeof LogCheckpoint>;

/** Answer of GET /api/events/audit/lost: entries that machines have seen and a restored backup lacks. */
export const LostTail = z.object({
  from: number,
  to: number,
  /** The entry that records it. */
  seq: number,
  found_at: z.iso.datetime(),
  /** Null: not acknowledged by an owner. */
  acknowledged_at: z.iso.datetime().nullable(),
  acknowledged_by: z.string().nullable(),
});
export type LostTail = z.infer<typeof LostTail>;

/** Query of GET /api/events/audit/proof/inclusion. */
export const InclusionQuery = z.object({
  /** The event's number. Default: `size`. */
  seq: seq.optional(),
  /** Events in the tree. Default: those of the newest checkpoint. */
  size: size.optional(),
});
export type InclusionQuery = z.infer<typeof InclusionQuery>;

/** RFC 9162 section 2.1.3: the event is leaf number `seq` - 1 of the tree. */
export const InclusionAnswer = z.object({ seq: number, size: number, leaf: TreeHash, proof: Proof });
export type InclusionAnswer = z.infer<typeof InclusionAnswer>;

/** Query of GET /api/events/audit/proof/consistency. */
export const ConsistencyQuery = z.object({
  /** Events in the smaller tree. Default: 0, which is the beginning of every log. */
  from: size.optional(),
  /** Events in the larger tree. Default: those of the newest checkpoint. */
  to: size.optional(),
});
export type ConsistencyQuery = z.infer<typeof ConsistencyQuery>;

/** RFC 9162 section 2.1.4. */
export const ConsistencyAnswer = z.object({ from: number, to: number, proof: Proof });
export type ConsistencyAnswer = z.infer<typeof ConsistencyAnswer>;

/** Query of GET /api/events/audit/bundle. Absent: from the first event, through the last. */
export const BundleQuery = z.object({
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
});
export type BundleQuery = z.infer<typeof BundleQuery>;

/** Query of GET /api/events/audit/entries. */
export const EntriesQuery = z.object({
  /** Entries after this number. Default 0. */
  after_seq: size.optional(),
  /** Default and most: 1000. */
  limit: count(AUDIT_PAGE_MAX, 1).optional(),
});
export type EntriesQuery = z.infer<typeof EntriesQuery>;

/** A line of a bundle: the leaf's text; or, once retention has removed it, its hash in its place. */
export const BundleLine = z.object({ seq: number, line: z.string() });
export type BundleLine = z.infer<typeof BundleLine>;
