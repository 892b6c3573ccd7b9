/**
 * Decisions of the audit log that a change of rules would turn, and live connections that it would end.
 *
 * A past question is asked of the account as it is now, by the rules of both sides: what else has changed
 * since makes no difference between them.
 *
 * @module
 */
import { actionText } from "../../policy/code/file-action.ts";
import { createQuestions, type Questions } from "../../policy/code/questions.ts";
import type { Action } from "../../wire/decision.ts";
import { AccessRequestRecord } from "../../wire/decision.ts";
import type { PolicyAccount } from "../../wire/policy-account.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { Row } from "../db/schema/schema.ts";
import type { PeerSession } from "../sync/sync-hub.ts";

/** A question that was asked, with both answers where they differ. */
export interface TurnedDecision {
  readonly userId: string;
  readonly devicePeerId: string | null;
  readonly machinePeerId: string;
  readonly localUser: string;
  readonly action: Action;
  readonly before: "allow" | "deny";
  readonly after: "allow" | "deny";
  readonly reason: ReasonCode | null;
  readonly count: number;
  readonly lastAtMs: number;
}

/** Decisions among `events` that the rules of `after` turn, equal ones counted together. */
export function turnedDecisions(
  events: readonly Pick<Row<"auditEvents">, "data" | "atMs">[],
  before: PolicyAccount,
  after: PolicyAccount,
): TurnedDecision[] {
  const [old, now] = [createQuestions(before), createQuestions(after)];
  const turned = new Map<string, TurnedDecision | null>();
  for (const { data, atMs } of events) {
    const parsed = AccessRequestRecord.safeParse(data?.request);
    if (!parsed.success || parsed.data.userId === null) continue;
    const { userId, devicePeerId, targetPeerId, localUser, action, atSeconds } = parsed.data;
    const key = [userId, devicePeerId ?? "", targetPeerId, localUser, actionText(action)].join("\n");
    const known = turned.get(key);
    if (known === null) continue;
    if (known !== undefined) {
      turned.set(key, { ...known, count: known.count + 1, lastAtMs: Math.max(known.lastAtMs, atMs) });
      continue;
    }
    const question = {
      userId,
      devicePeerId,
      machinePeerId: targetPeerId,
      localUser,
      action,
      nowSeconds: atSeconds,
    };
    const answers = answersOf(question, old, now);
    const about = { userId, devicePeerId, machinePeerId: targetPeerId, localUser, action };
    turned.set(key, answers === null ? null : { ...about, ...answers, count: 1, lastAtMs: atMs });
  }
  return [...turned.values()].filter((one) => one !== null).sort((a, b) => b.lastAtMs - a.lastAtMs);
}

function answersOf(
  question: Parameters<Questions["ask"]>[0],
  old: Questions,
  now: Questions,
): Pick<TurnedDecision, "before" | "after" | "reason"> | null {
  const [was, is] = [old.ask(question)?.decision, now.ask(question)?.decision];
  if (was === undefined || is === undefined || was.kind === is.kind) return null;
  const denied = is.kind === "deny" ? is : was;
  return { before: was.kind, after: is.kind, reason: denied.kind === "deny" ? denied.reason : null };
}

/** A live connection that the rules of `after` end, and why. */
export interface EndedSession extends PeerSession {
  readonly reason: ReasonCode;
}

/** Live connections that are allowed by the rules of `before` and not by those of `after`. */
export function endedSessions(
  sessions: readonly PeerSession[],
  before: PolicyAccount,
  after: PolicyAccount,
  nowSeconds: number,
): EndedSession[] {
  const [old, now] = [createQuestions(before), createQuestions(after)];
  return sessions.flatMap((one) => {
    const { userId, localUser } = one.session;
    if (userId === null) return [];
    const action = { kind: "connect" } as const;
    const question = { userId, machinePeerId: one.peerId, localUser, action, nowSeconds };
    const answers = answersOf(question, old, now);
    return answers?.after === "deny" && answers.reason !== null ? [{ ...one, reason: answers.reason }] : [];
  });
}
