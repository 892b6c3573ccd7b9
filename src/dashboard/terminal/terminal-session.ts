/**
 * State machine of a terminal page, from the first check to the end, for a component to render.
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
  /** This browser lacks a required feature. */
  | { readonly step: "unable" }
  | { readonly step: "sign-in"; readonly pending: PendingLogin; readonly problem: string | null }
  | { readonly step: "connecting" }
  /** Another user has to approve. Null `request`: nothing has been requested yet. */
  | { readonly step: "approval"; readonly request: AccessRequest | null; readonly problem: string | null }
  | { readonly step: "open"; readonly connection: SshConnection; readonly target: TargetInfo }
  | { readonly step: "ended"; readonly ending: Ending };

/** Why the session ended, and what the user can do. */
export interface Ending {
  readonly message: string;
  readonly hint: string | null;
  readonly receipt: string | null;
  /** The user has to give a reason first. */
  readonly wantsReason: boolean;
  /** Only the connection was lost: the same login can connect again. */
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
  /** The access that would need approval. Null: none is needed as far as is known. */
  #subject: ApprovalSubject | null = null;
  /** Banners of a machine that admitted us. */
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

  /** Starts with the sign-in, which needs the user to act. */
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
      this.#show({ step: "sign-in", pending, problem: null });
      await this.#untilAnswered(pending);
    });
  }

  /**
   * Takes the code that the sign-in page showed. Nothing polls meanwhile: a poll behind a right code would be
   * told that the sign-in was used already.
   */
  async giveCode(code: string): Promise<void> {
    const state = this.#state;
    if (state.step !== "sign-in") return;
    this.#waiting?.abort();
    await this.#orEnd(async () => {
      const outcome = await claimLogin(state.pending, { code: code.trim() });
      if (outcome !== null) await this.#onOutcome(state.pending, outcome);
      else this.#show({ ...state, problem: "Sign in first: there is no code yet." });
    });
    if (this.#state.step === "sign-in") void this.#orEnd(() => this.#untilAnswered(state.pending));
  }

  async #untilAnswered(pending: PendingLogin): Promise<void> {
    const outcome = await waitForLogin(pending, this.#wait().signal);
    if (outcome !== null) await this.#onOutcome(pending, outcome);
  }

  /** Reconnects after an end: with the same login if there still is one, otherwise from the sign-in. */
  async again(reason: string | null = null): Promise<void> {
    this.#reason = reason ?? this.#reason;
    if (this.#login === null) await this.begin();
    else await this.#orEnd(() => this.#connect());
  }

  /** Requests approval, and connects once it is granted. `reason` may be empty. */
  async ask(reason: string): Promise<void> {
    const subject = this.#subject;
    if (subject === null) return;
    if (reason !== "") this.#reason = reason;
    await this.#orEnd(async () => {
      let request: AccessRequest | null;
      try {
        request = await askApproval(subject, reason);
      } catch (error) {
        // Approved meanwhile, so connect. Problems with the reason go back to the form.
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

  /** Gives up the approval, and withdraws a pending request. */
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

  /** `isApproved`: the request was approved, so do not request again. */
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
/** Failures of a request that the user can correct in the form. */
const IS_PROBLEM_OF_REASON: ReadonlySet<string> = new Set([
  "ERR_BAD_REQUEST",
  "ERR_UNPROCESSABLE",
  "ERR_TOO_MANY",
]);

/** The machine for which only an approval is missing. Null: that is not the reason. */
function machineToApprove(error: unknown): string | null {
  if (!(error instanceof DeniedError) || error.reason !== "approval_required") return null;
  return error.machineId;
}

/** Denials that can be lifted while the page waits, without a new sign-in. */
const TURNABLE: ReadonlySet<string> = new Set(["reason_required", "approval_required", "device_pending"]);

/** Whether the same login may connect again: the connection was lost, or a condition is not met yet. */
export function isWorthAnotherTry(error: unknown): boolean {
  if (error instanceof DeniedError) return TURNABLE.has(error.reason);
  return error instanceof SshFailure && error.code === "lost";
}

/** Describes an end to the user. */
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
