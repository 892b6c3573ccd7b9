/**
 * `/api/sessions`: SSH connections to machines, live and ended.
 *
 * A session here is one SSH connection: a person signed in to a machine as a local user. What ran in it
 * (shells, commands, transfers, forwards) belongs to it, and ending it ends all of that.
 *
 * @module
 */
import { z } from "zod";
import { count } from "./admin-query.ts";
import { Action } from "./decision.ts";
import { Id, LocalUser, PeerId, UserId } from "./units.ts";

/** Most sessions in one answer. */
export const SESSIONS_PAGE_MAX = 1_000;
/** Events of one session that its detail is made of: the first of them. */
export const SESSION_EVENTS_MAX = 5_000;
/** Most characters of the reason for ending a session. */
export const END_REASON_LENGTH_MAX = 160;

/**
 * `live`: its machine reports it now. `ended`: its end is recorded. `unknown`: it began, no end is recorded,
 * and its machine does not report it: the machine is cut off, or its agent was killed.
 */
export const SessionState = z.enum(["live", "ended", "unknown"]);
/** As parsed. */
export type SessionState = z.infer<typeof SessionState>;

/** Query of GET /api/sessions: newest first. All that is given must hold. */
export const SessionQuery = z.object({
  /** Default 100, most 1000. */
  limit: count(SESSIONS_PAGE_MAX, 1).optional(),
  /** Where a page before ended. */
  cursor: z
    .string()
    .regex(/^\d{1,15}\.[a-z0-9]{20}$/, "is not a cursor")
    .optional(),
  /** Id, e-mail address or name of the person, exactly. */
  user: z.string().min(1).max(254).optional(),
  /** Id or name of the machine, exactly. */
  machine: z.string().min(1).max(253).optional(),
  /** The local user on the machine. */
  local_user: z.string().min(1).max(64).optional(),
  state: SessionState.optional(),
  /** Only those that went on then or later. */
  since: z.iso.datetime({ offset: true }).optional(),
  /** Only those that began before. */
  until: z.iso.datetime({ offset: true }).optional(),
});
export type SessionQuery = z.infer<typeof SessionQuery>;

/** A session. */
export const Session = z.object({
  /** Ties its audit events together (`connectionId`). */
  id: Id,
  state: SessionState,
  /** Null: a machine that signed in by itself. */
  user_id: UserId.nullable(),
  /** E-mail address or name of the person; of a machine its name. */
  user: z.string(),
  machine_id: PeerId,
  machine: z.string(),
  /** The device it came from. Null: none of the account's. */
  device_id: PeerId.nullable(),
  device: z.string().nullable(),
  local_user: LocalUser,
  /** How its bytes got there. Null: not known yet. */
  path: z.enum(["direct", "relay", "plain", "stdio"]).nullable(),
  source_address: z.string().nullable(),
  started_at: z.iso.datetime(),
  /** Null: it goes on, or its end is not known. */
  ended_at: z.iso.datetime().nullable(),
  /** Why it was ended. Null: it goes on, or ended by itself. */
  end_reason: z.string().nullable(),
  /** The rule that let it in. Null: not known yet. */
  rule_id: Id.nullable(),
  /** What the person said that it is for. */
  reason: z.string().nullable(),
  /** Let in while management was away. */
  offline: z.boolean(),
  /** What runs in it now: commands, `<shell>`, `<sftp>`; `<idle>` for nothing. Empty unless live. */
  running: z.array(z.string()),
  /** What is forwarded now. Empty unless live. */
  forwards: z.array(z.string()),
  /** From the client, and to it. Null until it has ended. */
  bytes_in: z.int().nullable(),
  bytes_out: z.int().nullable(),
  /** Whether the caller may end it now. */
  may_end: z.boolean(),
});
export type Session = z.infer<typeof Session>;

/** A shell, command or file transfer session in it. */
export const SessionChannel = z.object({
  /** Within its session, from 0. */
  number: z.int(),
  kind: z.enum(["shell", "exec", "sftp"]),
  /** As it was sent, for exec. */
  command: z.string().nullable(),
  pty: z.boolean(),
  started_at: z.iso.datetime(),
  ended_at: z.iso.datetime().nullable(),
  exit_status: z.int().nullable(),
  signal: z.string().nullable(),
});
export type SessionChannel = z.infer<typeof SessionChannel>;

/** A listener or a stream of -L, -R, -D or -W, or agent forwarding. */
export const SessionForward = z.object({
  kind: z.string(),
  destination: z.string(),
  started_at: z.iso.datetime(),
  ended_at: z.iso.datetime().nullable(),
  /** Why it ended or did not come about. Null: by itself, or it is open. */
  end_reason: z.string().nullable(),
  bytes_in: z.int().nullable(),
  bytes_out: z.int().nullable(),
});
export type SessionForward = z.infer<typeof SessionForward>;

/** One thing that was done with files over SFTP. */
export const SessionTransfer = z.object({
  at: z.iso.datetime(),
  channel: z.int(),
  op: z.string(),
  path: z.string(),
  target: z.string().nullable(),
  status: z.string(),
  bytes_read: z.int().nullable(),
  bytes_written: z.int().nullable(),
  sha256: z.string().nullable(),
});
export type SessionTransfer = z.infer<typeof SessionTransfer>;

/** What the machine decided in it. */
export const SessionDecision = z.object({
  at: z.iso.datetime(),
  action: Action,
  outcome: z.enum(["allow", "deny"]),
  rule_id: Id.nullable(),
  reason: z.string().nullable(),
});
export type SessionDecision = z.infer<typeof SessionDecision>;

/** A session with what happened in it, in order. */
export const SessionDetail = Session.extend({
  client_version: z.string().nullable(),
  channels: z.array(SessionChannel),
  forwarded: z.array(SessionForward),
  transfers: z.array(SessionTransfer),
  decisions: z.array(SessionDecision),
  /** Who approved it, where its rule wanted that. Null also where the request is not kept any more. */
  approved_by: z.object({ id: z.string(), name: z.string() }).nullable(),
  /** Who ended it by hand, and what they told the person. */
  ended_by: z.object({ id: z.string(), name: z.string(), reason: z.string().nullable() }).nullable(),
  /** There are more events than `SESSION_EVENTS_MAX`: only the first are told here. */
  truncated: z.boolean(),
});
export type SessionDetail = z.infer<typeof SessionDetail>;

/** Body of POST /api/sessions/{id}/kill. */
export const SessionKill = z.object({
  /** Shown to the person at once: one printable line. Absent: they are told only who ended it. */
  reason: z
    .string()
    .min(1)
    .max(END_REASON_LENGTH_MAX)
    .regex(/^(?! )[^\p{C}\p{Zl}\p{Zp}]+(?<! )$/u, "is not one printable line")
    .optional(),
});
export type SessionKill = z.infer<typeof SessionKill>;
