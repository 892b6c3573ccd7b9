/**
 * Notices between management processes through their database, as JSON in a NOTIFY.
 *
 * A notice only says where to look; the data comes from the database. An unreadable notice (from a newer
 * process) is dropped, and the next full check finds its change.
 *
 * @module
 */
import { z } from "zod";

/** Most peers in one notice. Keeps it below PostgreSQL's limit of 8000 bytes. */
export const NOTICE_PEERS_MAX = 150;

const Id = z.string().min(1).max(128);

/** One notice, as JSON in the payload of NOTIFY. */
export const ManagementNotice = z.discriminatedUnion("type", [
  /** A commit changed this account. Sent by a trigger, so it arrives exactly if the commit succeeded. */
  z.object({
    type: z.literal("account"),
    /** Process that committed. */
    by: z.string(),
    id: Id,
    /** 0: the account was deleted. */
    version: z.number().int().min(0),
    /** Number of its last audit event; 0: none. */
    auditSeq: z.number().int().min(0),
  }),
  /** Control links of these peers were opened, changed or closed at process `by`. */
  z.object({ type: z.literal("links"), by: Id, peers: z.array(Id).max(NOTICE_PEERS_MAX).readonly() }),
  /** Links of these machines to the relay were opened at process `by`. */
  z.object({ type: z.literal("relays"), by: Id, peers: z.array(Id).max(NOTICE_PEERS_MAX).readonly() }),
  /** Process `by` has shut down cleanly. */
  z.object({ type: z.literal("stopped"), by: Id }),
  /** Asks process `to` to end a connection on a machine. */
  z.object({
    type: z.literal("kill"),
    to: Id,
    peerId: Id,
    connectionId: z.string().max(256),
    reason: z.string().max(4096),
  }),
]);
export type ManagementNotice = z.infer<typeof ManagementNotice>;
