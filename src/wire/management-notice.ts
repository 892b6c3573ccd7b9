/**
 * Notices between management processes through their database, as JSON in a NOTIFY.
 *
 * A notice says where to look, never what to believe: rows are read from the database. One that cannot be
 * read (of a newer process) is dropped; what it was about is found at the next full look.
 *
 * @module
 */
import { z } from "zod";

/** Peers named in one notice; keeps it below PostgreSQL's bound of 8000 bytes. */
export const NOTICE_PEERS_MAX = 150;

const Id = z.string().min(1).max(128);

/** One notice, as JSON in the payload of NOTIFY. */
export const ManagementNotice = z.discriminatedUnion("type", [
  /** A commit changed this account. Written by a trigger, so it is there exactly when the commit is. */
  z.object({
    type: z.literal("account"),
    /** Process that committed. */
    by: z.string(),
    id: Id,
    /** 0: the account is gone. */
    version: z.number().int().min(0),
    /** Number of its last audit event; 0: none. */
    auditSeq: z.number().int().min(0),
  }),
  /** Control links of these peers were opened, changed or closed at process `by`. */
  z.object({ type: z.literal("links"), by: Id, peers: z.array(Id).max(NOTICE_PEERS_MAX).readonly() }),
  /** Links of these machines to the relay were opened at process `by`. */
  z.object({ type: z.literal("relays"), by: Id, peers: z.array(Id).max(NOTICE_PEERS_MAX).readonly() }),
  /** Process `by` has stopped in order. */
  z.object({ type: z.literal("stopped"), by: Id }),
  /** Process `to` is to end a connection on a machine. */
  z.object({
    type: z.literal("kill"),
    to: Id,
    peerId: Id,
    connectionId: z.string().max(256),
    reason: z.string().max(4096),
  }),
]);
export type ManagementNotice = z.infer<typeof ManagementNotice>;
