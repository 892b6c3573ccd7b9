/**
 * The permission kernel: the only way in which a sign-in, program, socket, listener or transfer begins.
 *
 * `permit` decides, looks up what only the system knows, stores the start, decides again, and adds it to
 * `running`. Every stored start gets a stored end, whether it ran, failed or never began. Nothing is awaited
 * between the second decision and `running`, which `revoke.ts` rechecks for as long as it has entries.
 *
 * Read `permit`, then `Permit.end`. `test/tidy/permits.test.ts` checks that nothing begins in another way.
 *
 * @module
 */
import { newId } from "../../base/random.ts";
import { denialLine } from "../../policy/sentences.ts";
import type { Action, Grant } from "../../wire/decision.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { Authorization } from "./authorize.ts";
import type { MeanwhileEvent } from "./evidence.ts";
import { endEvent, type Kind, type Outcomes, type StartOf, unbegun, unended } from "./paired-events.ts";
import type { Denial, Over, PermitContext, RefusingContext, Running, Use, Wanted } from "./permission.ts";

/** For actions on which the operating system has no say. */
export const NO_FACTS = async (): Promise<object> => ({});

/**
 * Permits `wanted`, or says why not. The permit it resolves with is already in `running`; the caller begins
 * the action, and calls `end` when it has ended or could not begin. Rejects only if `facts` rejects.
 */
export async function permit<K extends Kind, Facts extends object>(
  context: PermitContext,
  wanted: Wanted<Facts>,
  startOf: (grant: Grant, facts: Facts) => StartOf<K>,
): Promise<Permit<K, Facts> | Denial | Over> {
  const isOver = (): boolean => context.isOver() || wanted.isGone?.() === true;
  const first = decide(context, wanted, wanted.also);
  if (first.kind === "deny") return refuse(context, first);
  const facts = await wanted.facts(first.grant);
  if (typeof facts === "string") return refuse(context, context.deny(facts, wanted.action));
  if (isOver()) return { kind: "over" };
  const start = startOf(first.grant, facts);
  const unstored = await context.evidence.store(context.evidence.decision(first, null), start as never);
  if (unstored !== null) return refuse(context, context.deny(unstored, wanted.action), null);
  const again = decide(context, wanted);
  const run = { wanted, start, facts, sinceMs: context.nowMs() };
  if (again.kind === "allow" && !isOver()) return new Permit(context, run, again.grant);
  const reason = again.kind === "deny" ? again.reason : context.endReason();
  await storeEnd(context, run, unbegun(start, reason));
  return again.kind === "deny" ? refuse(context, again) : { kind: "over" };
}

/**
 * Stores a denial, including those that do not come from policy. `id` becomes its receipt. Null: evidence
 * cannot be stored, so this denial is not either.
 */
export async function refuse(
  { connectionId, log, evidence, onRefusal }: RefusingContext,
  authorization: Authorization,
  id: string | null = newId(),
): Promise<Denial> {
  onRefusal();
  const isStored = id !== null && (await evidence.store(evidence.decision(authorization, id))) === null;
  const receipt = isStored ? id : null;
  const reason = authorization.record.reason ?? "peer_not_authorized";
  log.debug("refused", { connectionId, action: authorization.request.action.kind, reason });
  return { kind: "deny", reason, receipt, line: denialLine(reason, receipt) };
}

/** Something that runs, from its stored start to its stored end. */
export class Permit<K extends Kind = Kind, Facts = unknown> implements Running {
  readonly kind = "permit";
  readonly facts: Facts;
  readonly start: StartOf<K>;
  readonly sinceMs: number;
  /** The grant of the second decision, which may allow less than the first. */
  readonly grant: Grant;
  readonly #context: PermitContext;
  #wanted: Use;
  #ended: Promise<void> | null = null;

  constructor(context: PermitContext, run: Run<K> & { readonly facts: Facts }, grant: Grant) {
    this.#context = context;
    this.#wanted = run.wanted;
    this.facts = run.facts;
    this.start = run.start;
    this.sinceMs = run.sinceMs;
    this.grant = grant;
    context.running.add(this);
    const { connectionId, log } = context;
    log.debug("began", { connectionId, action: this.wanted.action.kind, rule: grant.ruleId });
  }

  get wanted(): Use {
    return this.#wanted;
  }

  get hasEnded(): boolean {
    return this.#ended !== null;
  }

  /** Replaces the action by what it became: a listener on any port now has one. */
  narrow(action: Action): void {
    this.#wanted = { ...this.#wanted, action };
  }

  /** Stores an event of what runs. False: it could not be stored, or this has ended; then do not do it. */
  async note(event: MeanwhileEvent): Promise<boolean> {
    return !this.hasEnded && (await this.#context.evidence.store(event)) === null;
  }

  /** Stores the end. Resolves after one attempt and never rejects. Only the first call counts. */
  end(outcome: Outcomes[K]): Promise<void> {
    const { running } = this.#context;
    this.#ended ??= storeEnd(this.#context, this, outcome, () => running.delete(this));
    return this.#ended;
  }

  abandon(reason: ReasonCode): Promise<void> {
    return this.end(unended(this.start, reason));
  }
}

type Run<K extends Kind> = Pick<Permit<K>, "wanted" | "start" | "sinceMs">;

/** Resolves after one attempt. Attempts go on until it is stored; meanwhile nothing more begins. */
function storeEnd<K extends Kind>(
  { connectionId, log, evidence, endRetryMs, nowMs, endReason }: PermitContext,
  { wanted, start, sinceMs }: Run<K>,
  outcome: Outcomes[K],
  onStored: () => void = () => {},
): Promise<void> {
  const durationMs = Math.round(nowMs() - sinceMs);
  const event = endEvent(start, outcome, durationMs, endReason());
  const reason = "reason" in event && { reason: event.reason ?? "ended" };
  log.debug("ended", { connectionId, action: wanted.action.kind, durationMs, ...reason });
  return evidence.storeWithRetries(event, endRetryMs, onStored);
}

/** Decides now whether one rule allows the action in the way it is to be done. */
function decide(context: PermitContext, wanted: Use, also?: Action): Authorization {
  const answer = context.authorize(wanted.action);
  if (answer.kind === "deny") return answer;
  const second = also === undefined ? null : context.authorize(also);
  if (second?.kind === "deny") return second;
  const reason = wanted.refuse?.(answer.grant.capabilities) ?? null;
  return reason === null ? answer : context.deny(reason, wanted.action);
}
