/**
 * The course of a terminal page, from the first look to the end, for a component to show.
 *
 * @module
 */
import type { SshConnection } from "../../browser-ssh/connection.ts";
import { SshFailure } from "../../browser-ssh/failure.ts";
import type { AccessRequest } from "../../wire/access-request.ts";
import type { TargetInfo } from "../../wire/client-api.ts";
import { ApiError } from "../api/client.ts";
import { type ApprovalSubject, askApproval, refusalOf, untilDecided, withdraw } from "./approval-wait.ts";
import { canKeepKeys } from "./device-key.ts";
import { DeniedError, type Reached, reachMachine, type Wanted } from "./machine-way.ts";
import {
  beginLogin,
  type ClaimOutcome,
  claimLogin,
  type PendingLogin,
  registerBrowser,
  type TerminalLogin,
  waitForLogin,
} from "./terminal-login.ts";
import { hasWebKeys } from "./web-keys.ts";

export type TerminalState =
  | { readonly step: "looking" }
  /** This browser lacks what it takes. */
  | { readonly step: "unable" }
  | { readonly step: "sign-in"; readonly pending: PendingLogin; readonly problem: string | null }
  | { readonly step: "connecting" }
  /** Someone else has to approve it. Without a request nothing is asked for yet. */
  | { readonly step: "approval"; readonly request: AccessRequest | null; readonly problem: string | null }
  | { readonly step: "open"; readonly connection: SshConnection; readonly target: TargetInfo }
  | { readonly step: "ended"; readonly ending: Ending };

/** Why it is over, and what can be done. */
export interface Ending {
  readonly message: string;
  readonly hint: string | null;
  readonly receipt: string | null;
  /** A reason has to be given first. */
  readonly wantsReason: boolean;
  /** The way to the machine was lost, no more: the same login connects again. */
  readonly isLost: boolean;
}

export class TerminalSession {
  #state: TerminalState = { step: "looking" };
  #login: TerminalLogin | null = null;
  #waiting: AbortController | null = null;
  readonly #listeners = new Set<() => void>();
  readonly #wanted: Omit<Wanted, "reason">;
  readonly #userId: string;
  #reason: string | null = null;
  /** What an approval would be for. Null: none is needed as far as is known. */
  #subject: ApprovalSubject | null = null;
  /** What a machine that let us in had to say. */
  banners: readonly string[] = [];

  constructor(wanted: Omit<Wanted, "reason">, userId: string) {
    this.#wanted = wanted;
    this.#userId = userId;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  readonly state = (): TerminalState => this.#state;

  /** From the beginning: the sign-in, of which nothing happens by itself. */
  async begin(): Promise<void> {
    this.#waiting?.abort();
    this.#login = null;
    this.#show({ step: "looking" });
    if (!(await hasWebKeys()) || !(await canKeepKeys())) {
      this.#show({ step: "unable" });
      return;
    }
    await this.#orEnd(async () => {
      const pending = await beginLogin(this.#wanted.target, this.#wanted.localUser);
      const waiting = this.#wait();
      this.#show({ step: "sign-in", pending, problem: null });
      const outcome = await waitForLogin(pending, waiting.signal);
      if (!waiting.signal.aborted && outcome !== null) await this.#onOutcome(pending, outcome);
    });
  }

  /** The code that the sign-in's page showed. */
  async giveCode(code: string): Promise<void> {
    const state = this.#state;
    if (state.step !== "sign-in") return;
    await this.#orEnd(async () => {
      const outcome = await claimLogin(state.pending, code.trim());
      if (outcome !== null) await this.#onOutcome(state.pending, outcome);
      else this.#show({ ...state, problem: "Sign in first: there is no code yet." });
    });
  }

  /** Again after an end: with the login where only the way was lost, else from the beginning. */
  async again(reason: string | null = null): Promise<void> {
    this.#reason = reason ?? this.#reason;
    if (this.#login === null) await this.begin();
    else await this.#orEnd(() => this.#connect());
  }

  /** Asks for the approval, and connects once it is there. `reason` may be empty. */
  async ask(reason: string): Promise<void> {
    const subject = this.#subject;
    if (subject === null) return;
    if (reason !== "") this.#reason = reason;
    await this.#orEnd(async () => {
      let request: AccessRequest | null;
      try {
        request = await askApproval(subject, reason);
      } catch (error) {
        // It was approved meanwhile, or the reason is none.
        if (error instanceof ApiError && error.code === "ERR_CONFLICT") return this.#connect(true);
        if (!(error instanceof ApiError) || !IS_PROBLEM_OF_REASON.has(error.code)) throw error;
        this.#show({ step: "approval", request: null, problem: error.message });
        return;
      }
      const waiting = this.#wait();
      this.#show({ step: "approval", request, problem: null });
      const decided = await untilDecided(request, waiting.signal);
      if (decided === null) return;
      if (decided.state === "approved") await this.#connect(true);
      else this.#end({ ...plainEnding("", null), ...refusalOf(decided) });
    });
  }

  /** Asks for no approval, or takes the request back. */
  async cancelApproval(): Promise<void> {
    const state = this.#state;
    if (state.step !== "approval") return;
    this.#waiting?.abort();
    this.#end(plainEnding(state.request === null ? NOT_ASKED : "The request was withdrawn.", null));
    if (state.request !== null) await withdraw(state.request);
  }

  close(): void {
    this.#waiting?.abort();
    if (this.#state.step === "open") this.#state.connection.close();
  }

  async #onOutcome(pending: PendingLogin, outcome: ClaimOutcome): Promise<void> {
    if ("wrongCode" in outcome) {
      const left = outcome.wrongCode;
      if (left > 0) {
        const tries = left === 1 ? "one try is" : `${left} tries are`;
        this.#show({ step: "sign-in", pending, problem: `That is not the code; ${tries} left.` });
        return;
      }
      this.#waiting?.abort();
      this.#end(plainEnding("The code was wrong too often.", "Start again."));
      return;
    }
    this.#waiting?.abort();
    if ("denied" in outcome) {
      this.#end(plainEnding("The sign-in was denied.", outcome.denied));
      return;
    }
    this.#show({ step: "connecting" });
    this.#login = await registerBrowser(pending, outcome.proof, this.#userId);
    await this.#connect();
  }

  /** `isApproved`: what was asked for was approved, so it is not asked for once more. */
  async #connect(isApproved = false): Promise<void> {
    const login = this.#login;
    if (login === null) return;
    this.#show({ step: "connecting" });
    this.banners = [];
    const wanted = { ...this.#wanted, reason: this.#reason };
    let reached: Reached;
    try {
      reached = await reachMachine(login, wanted, (text) => {
        this.banners = [...this.banners, text];
      });
    } catch (error) {
      const machineId = isApproved ? null : machineToApprove(error);
      if (machineId === null) throw error;
      const { localUser } = this.#wanted;
      this.#subject = { machineId, localUser, deviceId: login.device.peerId };
      if (this.#reason === null) this.#show({ step: "approval", request: null, problem: null });
      else await this.ask(this.#reason);
      return;
    }
    const { connection, target } = reached;
    this.#show({ step: "open", connection, target });
    void connection.closed.then((failure) => {
      if (failure === null || failure.code !== "lost") this.#login = null;
      this.#end(endingOf(failure));
    });
  }

  #wait(): AbortController {
    this.#waiting?.abort();
    this.#waiting = new AbortController();
    return this.#waiting;
  }

  async #orEnd(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#waiting?.abort();
      if (!isWorthAnotherTry(error)) this.#login = null;
      this.#end(endingOf(error));
    }
  }

  #end(ending: Ending): void {
    this.#show({ step: "ended", ending });
  }

  #show(state: TerminalState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

const NOT_ASKED = "This access needs an approval, and none was asked for.";
/** Failures of a request that the person can mend in the form. */
const IS_PROBLEM_OF_REASON: ReadonlySet<string> = new Set([
  "ERR_BAD_REQUEST",
  "ERR_UNPROCESSABLE",
  "ERR_TOO_MANY",
]);

/** The machine for which an approval is all that lacks. */
function machineToApprove(error: unknown): string | null {
  if (!(error instanceof DeniedError) || error.reason !== "approval_required") return null;
  return error.machineId;
}

/** Denials that somebody may turn while the page waits: the sign-in is not to be done again for that. */
const TURNABLE: ReadonlySet<string> = new Set(["reason_required", "approval_required", "device_pending"]);

/** Whether the same login may connect again: the way was lost, or something is still missing. */
export function isWorthAnotherTry(error: unknown): boolean {
  if (error instanceof DeniedError) return TURNABLE.has(error.reason);
  return error instanceof SshFailure && error.code === "lost";
}

/** What people are told of an end. */
export function endingOf(error: unknown): Ending {
  if (error === null) return plainEnding("The connection was closed.", null);
  if (error instanceof DeniedError) {
    const { message, hint, receipt, reason } = error;
    return { message, hint, receipt, wantsReason: reason === "reason_required", isLost: false };
  }
  if (!(error instanceof Error)) return plainEnding("Something went wrong.", null);
  const hint = "hint" in error && typeof error.hint === "string" ? error.hint : null;
  if (!(error instanceof SshFailure)) return plainEnding(error.message, hint);
  const ending = plainEnding(firstLetterUp(error.message), HINTS[error.code] ?? null);
  return { ...ending, isLost: error.code === "lost" };
}

const HINTS: Readonly<Record<string, string>> = {
  host_key: "Do not go on: somebody may be in between. Tell your administrator.",
  lost: "Connect again when your network is back.",
  timeout: "See whether the machine is connected.",
};

function plainEnding(message: string, hint: string | null): Ending {
  return { message, hint, receipt: null, wantsReason: false, isLost: false };
}

function firstLetterUp(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
