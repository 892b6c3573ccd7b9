/**
 * The difference that a policy file would make, as the API returns it.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { type IdRow, rowsOf } from "../../policy/code/access-rows.ts";
import type { PolicyAccount } from "../../wire/policy-account.ts";
import {
  ACCESS_ROWS_MAX,
  type AccessRow,
  type AccessRows,
  type ChangedDecision,
  DIFF_DAYS_DEFAULT,
  type EndingConnection,
  type Named,
  type PolicyDiff,
} from "../../wire/policy-code-api.ts";
import type { ManagementContext } from "../contracts/context.ts";
import { listEvents } from "../db/tables/audit-events.ts";
import type { PeerSession } from "../sync/sync-hub.ts";
import { endedSessions, turnedDecisions } from "./past-decisions.ts";
import { type FilePlan, gainsAccess, locksEveryoneOut } from "./plan-file.ts";
import { reportTests } from "./test-report.ts";

/** How many of the newest decisions a difference evaluates. */
const DECISIONS_MAX = 20_000;
/** Changed decisions reported, after equal ones are merged. */
const TOLD_MAX = 500;

/** Names of people and peers, by id. */
export interface Shown {
  user(id: string): Named;
  peer(id: string): Named;
}

/** Shows users by e-mail address, else name, and deleted objects by id. */
export function shownIn(account: PolicyAccount): Shown {
  const users = new Map(account.users.map((user) => [user.id, user.email || user.name]));
  const peers = new Map(account.peers.map((peer) => [peer.id, peer.shownName]));
  return {
    user: (id) => ({ id, name: users.get(id) ?? id }),
    peer: (id) => ({ id, name: peers.get(id) ?? id }),
  };
}

/** A row of access with names. */
export function accessRow({ userId, machineId, localUser, words }: IdRow, shown: Shown): AccessRow {
  return {
    ...{ user: shown.user(userId), machine: shown.peer(machineId) },
    ...{ local_user: localUser, capabilities: [...words] },
  };
}

/** The parts of management that a difference needs. */
export interface DiffDeps {
  readonly ctx: Pick<ManagementContext, "store" | "clock">;
  readonly sessions: readonly PeerSession[];
  /** Days of decisions. Absent: 7. */
  readonly days: number | undefined;
}

/** The difference of `plan`. */
export async function diffOf(
  plan: FilePlan,
  { ctx, sessions, days = DIFF_DAYS_DEFAULT }: DiffDeps,
): Promise<PolicyDiff> {
  const { before, after, changes, digest, blocks } = plan;
  const now = nowSeconds(ctx.clock);
  const shown = shownIn(before);
  const side = (of: "gained" | "lost"): AccessRows => {
    const { rows, total } = rowsOf(blocks, of, ACCESS_ROWS_MAX);
    return { total, rows: rows.map((row) => accessRow(row, shown)) };
  };
  const ends = changes.length === 0 ? [] : endedSessions(sessions, before, after, now);
  return {
    ...{ version: before.version, digest, same: changes.length === 0 },
    changes: changes.map(({ fields, ...change }) => ({
      ...change,
      ...(fields ? { fields: [...fields] } : {}),
    })),
    ...{ gained: side("gained"), lost: side("lost") },
    ends: ends.map((one) => endingConnection(one, shown)),
    decisions: await decisionsOf(plan, ctx, { days, shown }),
    tests: reportTests(after, now),
    warnings: warningsOf(plan, now),
  };
}

function endingConnection(
  { peerId, session, reason }: ReturnType<typeof endedSessions>[number],
  shown: Shown,
): EndingConnection {
  return {
    connection_id: session.connectionId,
    user: shown.user(session.userId ?? ""),
    machine: shown.peer(peerId),
    local_user: session.localUser,
    started_at: new Date(session.startedAtSeconds * 1000).toISOString(),
    reason,
  };
}

async function decisionsOf(
  { before, after, changes }: FilePlan,
  ctx: DiffDeps["ctx"],
  { days, shown }: { readonly days: number; readonly shown: Shown },
): Promise<PolicyDiff["decisions"]> {
  if (days === 0 || changes.length === 0) return { days, considered: 0, truncated: false, differ: [] };
  const sinceMs = ctx.clock.nowMs() - days * 86_400_000;
  const events = await ctx.store.read((tx) =>
    listEvents(tx, before.accountId, { limit: DECISIONS_MAX + 1 }, { activity: "ssh.decision.*", sinceMs }),
  );
  const considered = events.slice(0, DECISIONS_MAX);
  const turned = turnedDecisions(considered, before, after);
  return {
    days,
    considered: considered.length,
    truncated: events.length > DECISIONS_MAX || turned.length > TOLD_MAX,
    differ: turned.slice(0, TOLD_MAX).map(
      (one): ChangedDecision => ({
        user: shown.user(one.userId),
        device: one.devicePeerId === null ? null : shown.peer(one.devicePeerId),
        machine: shown.peer(one.machinePeerId),
        ...{ local_user: one.localUser, action: one.action, before: one.before, after: one.after },
        ...{ reason: one.reason, count: one.count, last_at: new Date(one.lastAtMs).toISOString() },
      }),
    ),
  };
}

function warningsOf(plan: FilePlan, now: number): string[] {
  if (locksEveryoneOut(plan, now)) return ["after this nobody can log in to any machine"];
  if (plan.blocks.length === 0 || gainsAccess(plan)) return [];
  return ["this only takes access away: failing tests do not refuse it"];
}
