/**
 * Explanations of whether a person may be a local user on a machine, and why: for a receipt or a question.
 *
 * @module
 */
import { type Clock, nowSeconds } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { parseJson } from "../../base/files.ts";
import { type AskedNames, explainTrace, type RuleExplanation } from "../../policy/code/explain.ts";
import { actionOf, fileActionOf } from "../../policy/code/file-action.ts";
import { type AccountNames, type Naming, namesOf } from "../../policy/code/names.ts";
import { narrowestRule } from "../../policy/code/narrowest-rule.ts";
import { createQuestions, type Question } from "../../policy/code/questions.ts";
import { renderRule } from "../../policy/code/render.ts";
import { recordOf } from "../../policy/decide/decide.ts";
import { sentenceOf } from "../../policy/sentences.ts";
import { Action, DecisionRecord } from "../../wire/decision.ts";
import type { PolicyAccount } from "../../wire/policy-account.ts";
import type { ExplainedRule, ExplainQuery, Explanation } from "../../wire/policy-code-api.ts";
import { FileAction } from "../../wire/policy-file.ts";
import { RULE_OUTCOMES } from "../../wire/rule-outcome.ts";
import type { Row } from "../db/schema/schema.ts";
import type { PeerRow } from "../db/tables/peers.ts";
import { reportedFlags } from "../login/target.ts";
import { shownIn } from "./diff-file.ts";

/** A question, by ids. */
export interface Asked {
  readonly userId: string;
  /** Undefined: any of the person's devices. */
  readonly devicePeerId: string | undefined;
  readonly machinePeerId: string;
  readonly localUser: string;
  readonly action: Action;
}

/** The data and permissions for an answer. */
export interface ExplainDeps {
  readonly account: PolicyAccount;
  readonly clock: Clock;
  /** The machine's row, since its own flags count too. Undefined: as if it allowed everything. */
  machine(id: string): Promise<PeerRow | undefined>;
  /** Whether the answer may reveal rules. */
  readonly tellsRules: boolean;
}

/** The question that a query asks. Throws ERR_UNPROCESSABLE naming what is missing or unknown. */
export function askedBy(query: ExplainQuery, account: PolicyAccount, self: string): Asked {
  const names = namesOf(account);
  const { user, device, machine, local_user, action = "connect" } = query;
  if (machine === undefined) throw unprocessable("machine is missing");
  if (local_user === undefined || local_user === "") throw unprocessable("local_user is missing");
  return {
    userId: user === undefined ? self : idOf(names.person, user, "user"),
    devicePeerId: device === undefined ? undefined : idOf(names.device, device, "device"),
    machinePeerId: idOf(names.machine, machine, "machine"),
    localUser: local_user,
    action: parseAction(action),
  };
}

/**
 * The id for a name in a query. A bare id counts when nothing has that name. Throws ERR_UNPROCESSABLE with
 * similar names.
 */
export function idOf(naming: Naming, name: string, field: string): string {
  const named = naming.find(name);
  const byId = named.kind === "unknown" ? naming.find(`id:${name}`) : named;
  const found = byId.kind === "found" ? byId : named;
  if (found.kind === "found") return found.id;
  const candidates = found.candidates.map((one) => JSON.stringify(one)).join(", ");
  const shown = JSON.stringify(name.slice(0, 80));
  throw found.kind === "ambiguous"
    ? unprocessable(`${field} ${shown} is more than one`, `write one of ${candidates}`)
    : unprocessable(
        `there is no ${field} ${shown}`,
        candidates === "" ? undefined : `did you mean ${candidates}?`,
      );
}

function parseAction(text: string): Action {
  const written = FileAction.safeParse(text.startsWith("{") ? parseJson(text) : text);
  const action = written.success ? actionOf(written.data) : null;
  if (action !== null) return action;
  throw unprocessable(
    "action is not one",
    'write connect, shell, sftp or JSON such as {"forward":"db:5432"}',
  );
}

/** Explains the decision of a question as of now. */
export async function explainQuestion(asked: Asked, deps: ExplainDeps): Promise<Explanation> {
  const { account, clock } = deps;
  const machine = await deps.machine(asked.machinePeerId);
  const flags = { ...reportedFlags(machine?.flags ?? null), recording: true };
  const { devicePeerId, ...about } = asked;
  const question: Question = {
    ...about,
    ...(devicePeerId === undefined ? {} : { devicePeerId }),
    nowSeconds: nowSeconds(clock),
    flags,
  };
  const answer = createQuestions(account).ask(question);
  if (answer === undefined) throw new QfError("ERR_NOT_FOUND", "machine not found");
  const record = recordOf(answer.decision);
  const explanation = explanationOf({ ...asked, devicePeerId: answer.devicePeerId }, record, deps);
  const isDenied = record.outcome === "deny" && deps.tellsRules;
  const rule = isDenied ? narrowestRule(account, question) : null;
  return { ...explanation, draft: rule === null ? null : renderRule(rule, namesOf(account)) };
}

/** Explains a stored denial, together with the decision as of now. */
export async function explainEvent(event: Row<"auditEvents">, deps: ExplainDeps): Promise<Explanation> {
  const asked = questionOf(event);
  const stored = DecisionRecord.safeParse(event.data?.decision);
  if (asked === null || !stored.success) {
    throw new QfError("ERR_UNPROCESSABLE", "this receipt is of a denial that no rule decided", {
      hint: "qf audit tail shows the event",
    });
  }
  const { account } = deps;
  const explanation = explanationOf(asked, stored.data, deps);
  const at = new Date(event.atMs).toISOString();
  const isThere = account.peers.some(({ id }) => id === asked.machinePeerId);
  const hasUser = asked.localUser !== "" && asked.userId !== "";
  if (!isThere || !hasUser) return { ...explanation, at };
  const now = await explainQuestion({ ...asked, devicePeerId: asked.devicePeerId ?? undefined }, deps);
  return { ...explanation, at, now: { outcome: now.outcome, reason: now.reason } };
}

/** The question of a stored denial. A machine's event has it whole; management's has it in its facts. */
function questionOf({ data, meta, initiatorId, targetId }: Row<"auditEvents">) {
  if (data === null) return null;
  const request = data.request as Readonly<Record<string, unknown>> | undefined;
  const text = (value: unknown, otherwise: string): string => (typeof value === "string" ? value : otherwise);
  const action = Action.safeParse(request?.action);
  const device = request === undefined ? meta.device : request.devicePeerId;
  return {
    userId: text(request?.userId, initiatorId),
    devicePeerId: typeof device === "string" ? device : null,
    machinePeerId: text(request?.targetPeerId, targetId),
    localUser: text(request?.localUser, meta.localUser ?? ""),
    action: action.success ? action.data : ({ kind: "connect" } as const),
  };
}

function explanationOf(
  asked: Omit<Asked, "devicePeerId"> & { readonly devicePeerId: string | null },
  record: DecisionRecord,
  { account, tellsRules }: ExplainDeps,
): Explanation {
  const shown = shownIn(account);
  const user = shown.user(asked.userId);
  const device = asked.devicePeerId === null ? null : shown.peer(asked.devicePeerId);
  const machine = shown.peer(asked.machinePeerId);
  const { localUser } = asked;
  const about: AskedNames = {
    ...{ user: user.name, device: device?.name ?? null, machine: machine.name, localUser },
  };
  const rules = explainTrace(record.trace, account.policies, namesOf(account), about, RULE_OUTCOMES);
  const words = record.reason === null ? null : sentenceOf(record.reason);
  return {
    ...{ user, device, machine, local_user: asked.localUser, action: fileActionOf(asked.action), at: null },
    ...{ outcome: record.outcome, reason: record.reason },
    ...{ sentence: words?.sentence ?? null, hint: words?.hint ?? null },
    change: record.outcome === "allow" || !tellsRules ? null : (rules[0]?.change ?? null),
    rule_id: tellsRules ? record.ruleId : null,
    rules: tellsRules ? rules.map(asExplainedRule) : [],
    draft: null,
    now: null,
  };
}

function asExplainedRule({
  ruleId,
  policyId,
  policy,
  rule,
  outcome,
  sentence,
  change,
}: RuleExplanation): ExplainedRule {
  return { rule_id: ruleId, policy_id: policyId, ...{ policy, rule, outcome, sentence, change } };
}

function unprocessable(message: string, hint?: string): QfError {
  return new QfError("ERR_UNPROCESSABLE", message, hint === undefined ? {} : { hint });
}

/** The id of the person that a table is about. Without a name: `self`. */
export function personOf(names: AccountNames, name: string | undefined, self: string): string {
  return name === undefined ? self : idOf(names.person, name, "user");
}
