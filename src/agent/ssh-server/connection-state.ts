/**
 * The states of a connection, and the only steps between them.
 *
 * @module
 */
import type { Log } from "../../base/log.ts";
import type { ReasonCode } from "../../wire/reason.ts";

export type StateName =
  | "greeting" // Keys are being exchanged.
  | "authenticating" // The client tries to sign in.
  | "deciding" // It has sent a proof, which is being decided.
  | "open" // The client is signed in: sessions and forwards.
  | "ending" // Nothing begins any more; last words are sent, and what runs is ended.
  | "closed"; // Its stream is gone.

export type Step =
  | "try" // A request to sign in has come.
  | "prove" // It came with a proof.
  | "retry" // The proof was none; there may be others.
  | "admit" // The person is let in.
  | "end" // The machine ends it, or the client has had its last answer.
  | "gone"; // Its stream has closed.

/** The state that each step leads to. What is not here is no step of that state. */
export const STEPS: Readonly<Record<StateName, Partial<Readonly<Record<Step, StateName>>>>> = {
  greeting: { try: "authenticating", end: "ending", gone: "closed" },
  authenticating: { prove: "deciding", end: "ending", gone: "closed" },
  deciding: { retry: "authenticating", admit: "open", end: "ending", gone: "closed" },
  open: { end: "ending", gone: "closed" },
  ending: { gone: "closed" },
  closed: {},
};

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
    const from = this.#name;
    const to = STEPS[from][step];
    if (to === undefined) return false;
    this.#name = to;
    if (step === "end") this.#endReason = reason;
    this.#log.debug("state", { connectionId: this.#connectionId, from, to, ...(reason && { reason }) });
    return true;
  }
}
