/**
 * The permission kernel: the one way in which a sign-in, program, socket, listener or transfer begins.
 *
 * `permit` decides, looks up what only the system can say, stores the start, decides again, and has it run;
 * and what has a stored start gets a stored end, whether it ran, failed or never began. Nothing is awaited
 * between the second decision and `running`, which `revoke.ts` decides about for as long as anything is in
 * it.
 *
 * Read `permit`, then `Permit.end`. `test/tidy/permits.test.ts` holds that nothing begins by another way.
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

/** For what the operating system has no say in. */
export const NO_FACTS = async (): Promise<object> => ({});

/**
 * Permits what is `wanted`, or says why not. What it resolves with is in `running` already; the caller has it
 * begin, and calls `end` when it has ended or could not begin. Rejects only with what `facts` rejects with.
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
 * Stores a denial, also one that only the mechanism knows of. `id` becomes its receipt; null: evidence cannot
 * be stored, not even this.
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
  /** What is granted by now, also where it is less than at first. */
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

  /** It has become known what the action comes to: the port of a listener that took any. */
  narrow(action: Action): void {
    this.#wanted = { ...this.#wanted, action };
  }

  /** Stores what is done under it. False: it could not be stored, or has ended; then it must not be done. */
  async note(event: MeanwhileEvent): Promise<boolean> {
    return !this.hasEnded && (await this.#context.evidence.store(event)) === null;
  }

  /** Stores that it has ended. Resolves when that was tried once; never rejects. The first call counts. */
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

/** Resolves when that was tried once. It is tried again until it is stored: meanwhile nothing more begins. */
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

/** The answer of this moment: whether one rule allows it as it is to be done. */
function decide(context: PermitContext, wanted: Use, also?: Action): Authorization {
  const answer = context.authorize(wanted.action);
  if (answer.kind === "deny") return answer;
  const second = also === undefined ? null : context.authorize(also);
  if (second?.kind === "deny") return second;
  const reason = wanted.refuse?.(answer.grant.capabilities) ?? null;
  return reason === null ? answer : context.deny(reason, wanted.action);
}
