/**
 * The states of a connection, and the only steps between them.
 *
 * @module
 */
import type { Log } from "../../base/log.ts";
import type { ReasonCode } from "../../wire/reason.ts";

/**
 * - greeting: keys are being exchanged.
 * - authenticating: the client tries to sign in.
 * - deciding: it has sent a proof, which is being decided.
 * - open: somebody is in; sessions and forwards.
 * - ending: nothing begins any more; last words are sent, and what runs is ended.
 * - closed: its stream is gone.
 */
export type StateName = "greeting" | "authenticating" | "deciding" | "open" | "ending" | "closed";

/**
 * - try: a request to sign in has come.
 * - prove: it came with a proof.
 * - retry: the proof was none; there may be others.
 * - admit: the person is let in.
 * - end: the machine ends it, or the client has had its last answer.
 * - gone: its stream has closed.
 */
export type Step = "try" | "prove" | "retry" | "admit" | "end" | "gone";

const STEPS: Readonly<Record<StateName, Partial<Readonly<Record<Step, StateName>>>>> = {
  greeting: { try: "authenticating", end: "ending", gone: "closed" },
  authenticating: { prove: "deciding", end: "ending", gone: "closed" },
  deciding: { retry: "authenticating", admit: "open", end: "ending", gone: "closed" },
  open: { end: "ending", gone: "closed" },
  ending: { gone: "closed" },
  closed: {},
};

/** The state that `step` leads to from `state`. Null: it is no step of that state. */
export function nextState(state: StateName, step: Step): StateName | null {
  return STEPS[state][step] ?? null;
}

/** The state of one connection. */
export class ConnectionState {
  readonly #connectionId: string;
  readonly #log: Log;
  #name: StateName = "greeting";
  #endReason: ReasonCode | null = null;

  constructor(connectionId: string, log: Log) {
    this.#connectionId = connectionId;
    this.#log = log;
  }

  is(...names: readonly StateName[]): boolean {
    return names.includes(this.#name);
  }

  /** Nothing begins any more. */
  get isOver(): boolean {
    return this.is("ending", "closed");
  }

  /** Why the machine ends the connection. Null: it does not, or the client had its last answer. */
  get endReason(): ReasonCode | null {
    return this.#endReason;
  }

  /** Takes `step`. False: it is no step of this state, and nothing has changed. */
  take(step: Step, reason: ReasonCode | null = null): boolean {
    const to = nextState(this.#name, step);
    if (to === null) return false;
    const from = this.#name;
    this.#name = to;
    if (step === "end") this.#endReason = reason;
    this.#log.debug("state", { connectionId: this.#connectionId, from, to, ...(reason && { reason }) });
    return true;
  }
}
