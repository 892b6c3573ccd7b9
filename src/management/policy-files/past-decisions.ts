/**
 * Past decisions that a change of rules would reverse, and live connections that it would end.
 *
 * Each past question is decided again on the current account by the old and the new rules, so that other
 * changes since then make no difference.
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

/** A past question whose two answers differ. */
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

/** Decisions among `events` that the rules of `after` reverse. Equal ones are merged and counted. */
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

/** Decides each question once, or once per time where the answer may depend on the time. */
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

/** Whether an answer may depend on the time: by a schedule, a rule's validity, or a temporary membership. */
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

/** A live connection that the rules of `after` would end, and why. */
export interface EndedSession extends PeerSession {
  readonly reason: ReasonCode;
}

/** Live connections that the rules of `before` allow and those of `after` do not. */
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
