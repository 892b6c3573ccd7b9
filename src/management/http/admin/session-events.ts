/**
 * The course of a session, from the audit events of its connection. Pure.
 *
 * @module
 */
import { AgentEventBody } from "../../../wire/audit-event.ts";
import type {
  SessionChannel,
  SessionDecision,
  SessionDetail,
  SessionForward,
  SessionTransfer,
} from "../../../wire/session.ts";
import type { Row } from "../../db/schema/schema.ts";

type EventRow = Pick<Row<"auditEvents">, "activity" | "atMs" | "data" | "initiatorId" | "initiatorName"> &
  Partial<Pick<Row<"auditEvents">, "initiatorEmail">>;

type Happened = Pick<SessionDetail, "channels" | "forwarded" | "transfers" | "decisions" | "ended_by">;

/** In order. Unreadable events, such as those of a newer agent, are left out. */
export function happenedIn(rows: readonly EventRow[]): Happened {
  const channels = new Map<number, SessionChannel>();
  const forwarded = new Map<string, SessionForward>();
  const transfers: SessionTransfer[] = [];
  const decisions: SessionDecision[] = [];
  let endedBy: SessionDetail["ended_by"] = null;
  for (const row of rows) {
    const at = new Date(row.atMs).toISOString();
    if (row.activity === "ssh.session.kill") endedBy = killerOf(row);
    const body = AgentEventBody.safeParse(row.data).data;
    if (body === undefined) continue;
    if (body.type === "session.start") channels.set(body.sessionId, begunChannel(body, at));
    if (body.type === "session.end") {
      const begun = channels.get(body.sessionId);
      const { exitStatus: exit_status, signal } = body;
      if (begun !== undefined) channels.set(body.sessionId, { ...begun, ended_at: at, exit_status, signal });
    }
    if (body.type === "forward.open") forwarded.set(forwardKey(body, forwarded.size), begunForward(body, at));
    if (body.type === "forward.close") {
      const key = forwardKey(body, 0);
      forwarded.set(key, endedForward(forwarded.get(key) ?? begunForward(body, at), body, at));
    }
    if (body.type === "sftp.operations") transfers.push(...transfersOf(body, at));
    if (body.type === "decision") decisions.push(decisionOf(body, at));
  }
  const by = { channels: [...channels.values()], forwarded: [...forwarded.values()] };
  return { ...by, transfers, decisions, ended_by: endedBy };
}

type Body<T extends AgentEventBody["type"]> = Extract<AgentEventBody, { type: T }>;

function killerOf({
  data,
  initiatorId: id,
  initiatorEmail,
  initiatorName,
}: EventRow): SessionDetail["ended_by"] {
  const reason = typeof data?.reason === "string" ? data.reason : null;
  return { id, name: initiatorEmail || initiatorName, reason };
}

function begunChannel(body: Body<"session.start">, started_at: string): SessionChannel {
  const { sessionId: number, kind, command, pty } = body;
  return { number, kind, command, pty, started_at, ended_at: null, exit_status: null, signal: null };
}

/** Older agents do not number forwards. */
function forwardKey({ forwardId }: { readonly forwardId?: number | undefined }, else_: number): string {
  return forwardId === undefined ? `without ${else_}` : String(forwardId);
}

function begunForward(
  { kind, destination }: Pick<Body<"forward.open">, "kind" | "destination">,
  started_at: string,
): SessionForward {
  const open = { ended_at: null, end_reason: null, bytes_in: null, bytes_out: null };
  return { kind, destination, started_at, ...open };
}

function endedForward(begun: SessionForward, body: Body<"forward.close">, ended_at: string): SessionForward {
  const { reason: end_reason, bytesIn: bytes_in, bytesOut: bytes_out } = body;
  return { ...begun, ended_at, end_reason, bytes_in, bytes_out };
}

function transfersOf(
  { sessionId: channel, operations }: Body<"sftp.operations">,
  at: string,
): SessionTransfer[] {
  return operations.map(({ op, path, target = null, status, transfer }) => ({
    ...{ at, channel, op, path, target, status },
    bytes_read: transfer?.bytesRead ?? null,
    bytes_written: transfer?.bytesWritten ?? null,
    sha256: transfer?.sha256 ?? null,
  }));
}

function decisionOf({ request, decision }: Body<"decision">, at: string): SessionDecision {
  const { outcome, ruleId: rule_id, reason } = decision;
  return { at, action: request.action, outcome, rule_id, reason };
}
