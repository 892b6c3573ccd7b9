/**
 * The states of a connection, and the only transitions between them.
 *
 * @module
 */
import type { Log } from "../../base/log.ts";
import type { ReasonCode } from "../../wire/reason.ts";

export type StateName =
  | "greeting" // Keys are being exchanged.
  | "authenticating" // The client may try to sign in.
  | "deciding" // The client has sent a proof, which is being decided.
  | "open" // The client is signed in: sessions and forwards.
  | "ending" // Nothing begins any more; the last message is sent, and what runs is ended.
  | "closed"; // The stream is gone.

export type Step =
  | "try" // A sign-in request arrived.
  | "prove" // It carried a proof.
  | "retry" // The proof failed; the client may try another.
  | "admit" // The client is admitted.
  | "end" // The machine ends the connection, or gave the client its last answer.
  | "gone"; // The stream has closed.

/** Target state of each step. A step that is not listed is not possible in that state. */
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

  /** Nothing may begin any more. */
  get isOver(): boolean {
    return this.is("ending", "closed");
  }

  /** Why the machine ends the connection. Null: it does not, or it only gave the client a last answer. */
  get endReason(): ReasonCode | null {
    return this.#endReason;
  }

  /** Takes `step`. False: not possible in this state, and nothing changed. */
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
