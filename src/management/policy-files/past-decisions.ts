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
  const answers = createAnswers(before, after);
  const turned = new Map<string, TurnedDecision>();
  for (const { data, atMs } of events) {
    const parsed = AccessRequestRecord.safeParse(data?.request);
    if (!parsed.success || parsed.data.userId === null) continue;
    const { userId, devicePeerId, targetPeerId: machinePeerId, localUser, action } = parsed.data;
    const about = { userId, devicePeerId, machinePeerId, localUser, action };
    const answer = answers({ ...about, nowSeconds: parsed.data.atSeconds });
    if (answer === null) continue;
    const key = [keyOf(about), answer.before, answer.reason ?? ""].join("\n");
    const known = turned.get(key);
    turned.set(key, {
      ...about,
      ...answer,
      count: (known?.count ?? 0) + 1,
      lastAtMs: Math.max(known?.lastAtMs ?? 0, atMs),
    });
  }
  return [...turned.values()].sort((a, b) => b.lastAtMs - a.lastAtMs);
}

type PastQuestion = Parameters<Questions["ask"]>[0] & { readonly devicePeerId: string | null };

/** Asks each question once, and once for each of its times where the time may tell. */
function createAnswers(before: PolicyAccount, after: PolicyAccount) {
  const [old, now] = [createQuestions(before), createQuestions(after)];
  const isTimed = [before, after].some(timeTells);
  const known = new Map<string, ReturnType<typeof answersOf>>();
  return (question: PastQuestion): ReturnType<typeof answersOf> => {
    const key = [keyOf(question), isTimed ? question.nowSeconds : ""].join("\n");
    const found = known.get(key);
    if (found !== undefined) return found;
    const answer = answersOf(question, old, now);
    known.set(key, answer);
    return answer;
  };
}

/** Whether an answer may depend on when it was asked: a schedule, an end, a membership for a while. */
function timeTells({ policies, users }: PolicyAccount): boolean {
  const isTimed = (rule: PolicyAccount["policies"][number]["rules"][number]): boolean =>
    [rule.schedule, rule.valid_from, rule.valid_until].some((one) => (one ?? null) !== null);
  return (
    policies.some(({ rules }) => rules.some(isTimed)) || users.some((user) => user.groupsUntil !== undefined)
  );
}

function keyOf(
  about: Pick<PastQuestion, "userId" | "devicePeerId" | "machinePeerId" | "localUser" | "action">,
) {
  const { userId, devicePeerId, machinePeerId, localUser, action } = about;
  return [userId, devicePeerId ?? "", machinePeerId, localUser, actionText(action)].join("\n");
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
