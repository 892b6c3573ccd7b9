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

/** Longest wait between two attempts to store an end. */
const END_RETRY_MS_MAX = 60_000;

/** For what the operating system has no say in. */
export const NO_FACTS = async (): Promise<object> => ({});

const OVER: Over = { kind: "over" };

/**
 * Permits what is `wanted`, or says why not. What it resolves with is in `running` already; the caller has it
 * begin, and calls `end` when it has ended or could not begin. Rejects only with what `facts` rejects with.
 */
export async function permit<K extends Kind, Facts extends object>(
  context: PermitContext,
  wanted: Wanted<Facts>,
  startOf: (grant: Grant, facts: Facts) => StartOf<K>,
): Promise<Permit<K, Facts> | Denial | Over> {
  const first = decide(context, wanted, wanted.also);
  if (first.kind === "deny") return refuse(context, first);
  const facts = await wanted.facts(first.grant);
  if (typeof facts === "string") return refuse(context, context.deny(facts, wanted.action));
  if (isOver(context, wanted)) return OVER;
  const start = startOf(first.grant, facts);
  const unstored = await context.evidence.store(context.evidence.decision(first, null), start as never);
  if (unstored !== null) return unstorable(context, wanted.action, unstored);
  const again = decide(context, wanted);
  const permitted = new Permit<K, Facts>(context, wanted, { start, facts, grant: first.grant });
  if (again.kind === "allow" && !isOver(context, wanted)) return permitted.begin(again.grant);
  const reason = again.kind === "deny" ? again.reason : context.endReason();
  await permitted.end(unbegun(start, reason));
  return again.kind === "deny" ? refuse(context, again) : OVER;
}

/** Stores a denial. Also where only the mechanism knows that there is one. */
export async function refuse(context: RefusingContext, authorization: Authorization): Promise<Denial> {
  context.onRefusal();
  const { evidence } = context;
  const { request, record } = authorization;
  const id = newId();
  const receipt = (await evidence.store(evidence.decision(authorization, id))) === null ? id : null;
  return denial(context, request.action, { reason: record.reason ?? "peer_not_authorized", receipt });
}

/** A denial because evidence cannot be stored, which cannot be stored either. */
function unstorable(context: RefusingContext, action: Action, reason: ReasonCode): Denial {
  context.onRefusal();
  return denial(context, action, { reason, receipt: null });
}

function denial(
  { connectionId, log }: RefusingContext,
  action: Action,
  { reason, receipt }: Pick<Denial, "reason" | "receipt">,
): Denial {
  log.debug("refused", { connectionId, action: action.kind, reason });
  return { kind: "deny", reason, receipt, line: denialLine(reason, receipt) };
}

/** Something that was permitted, from its stored start to its stored end. */
export class Permit<K extends Kind = Kind, Facts = unknown> implements Running {
  readonly kind = "permit";
  readonly facts: Facts;
  readonly start: StartOf<K>;
  readonly #context: PermitContext;
  readonly #storedMs: number;
  #wanted: Use;
  #grant: Grant;
  #sinceMs = Number.NaN;
  #ended: Promise<void> | null = null;

  constructor(context: PermitContext, wanted: Use, begun: Begun<K, Facts>) {
    this.#context = context;
    this.#storedMs = context.nowMs();
    this.#wanted = wanted;
    this.#grant = begun.grant;
    this.facts = begun.facts;
    this.start = begun.start;
  }

  /** The rule under which it runs. */
  get grant(): Grant {
    return this.#grant;
  }

  get wanted(): Use {
    return this.#wanted;
  }

  get sinceMs(): number {
    return this.#sinceMs;
  }

  get hasEnded(): boolean {
    return this.#ended !== null;
  }

  /** `grant`: what is granted by now counts, also where it is less than before. */
  begin(grant: Grant): this {
    this.#grant = grant;
    this.#sinceMs = this.#context.nowMs();
    this.#context.running.add(this);
    this.#trace("began", { rule: grant.ruleId });
    return this;
  }

  /** It has become known what the action comes to: the port of a listener that took any. */
  narrow(action: Action): void {
    this.#wanted = { ...this.#wanted, action };
  }

  /**
   * Stores what is done under it. False: that could not be stored, or it has ended; then it must not be done.
   */
  async note(event: MeanwhileEvent): Promise<boolean> {
    return !this.hasEnded && (await this.#context.evidence.store(event)) === null;
  }

  /**
   * Stores that it has ended. Resolves when that was tried once; never rejects. The first call counts.
   */
  end(outcome: Outcomes[K]): Promise<void> {
    this.#ended ??= this.#end(outcome);
    return this.#ended;
  }

  abandon(reason: ReasonCode): Promise<void> {
    return this.end(unended(this.start, reason));
  }

  async #end(outcome: Outcomes[K]): Promise<void> {
    const { evidence, running, endRetryMs } = this.#context;
    const durationMs = Math.round(this.#context.nowMs() - this.#storedMs);
    const event = endEvent(this.start, outcome, durationMs, this.#context.endReason());
    this.#trace("ended", { durationMs, ...("reason" in event && { reason: event.reason ?? "ended" }) });
    const store = async (): Promise<boolean> => (await evidence.store(event)) === null;
    if (await store()) running.delete(this);
    else void storeLater(store, endRetryMs).then(() => running.delete(this));
  }

  #trace(message: string, fields: Readonly<Record<string, string | number>>): void {
    const { connectionId, log } = this.#context;
    log.debug(message, { connectionId, action: this.#wanted.action.kind, ...fields });
  }
}

/** Tries again until it is stored: meanwhile nothing more begins, so there are no more of them. */
async function storeLater(store: () => Promise<boolean>, firstMs: number): Promise<void> {
  for (let waitMs = firstMs; ; waitMs = Math.min(2 * waitMs, END_RETRY_MS_MAX)) {
    await new Promise((resolve) => setTimeout(resolve, waitMs).unref());
    if (await store()) return;
  }
}

interface Begun<K extends Kind, Facts> {
  readonly start: StartOf<K>;
  readonly facts: Facts;
  readonly grant: Grant;
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

function isOver(context: PermitContext, wanted: Pick<Wanted<never>, "isGone">): boolean {
  return context.isOver() || wanted.isGone?.() === true;
}
