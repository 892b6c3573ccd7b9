/**
 * The part of a connection before somebody is in: the time it has, the place it takes, and its offences.
 *
 * @module
 */
import type { AuthContext } from "ssh2";
import { DISCONNECT } from "../../sshcore/messages.ts";
import type { SshTransport } from "../../sshcore/ssh-transport.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { Offence } from "../../wire/ssh-limits.ts";
import type { Limits } from "../contracts/limits.ts";
import type { ServerContext } from "../contracts/server-context.ts";
import type { StreamOrigin } from "../contracts/stream-origin.ts";
import type { AdmissionRequest, Admitted } from "./admit.ts";
import { Authenticator } from "./authenticate.ts";
import type { ConnectionState } from "./connection-state.ts";

/** What the server gives a connection that signs in. */
export interface SignInOptions {
  readonly serverContext: ServerContext;
  readonly limits: Limits;
  readonly origin: StreamOrigin;
  /**
   * Called at most once: the connection ended before anybody was signed in, by this offence of its source.
   */
  onOffence(offence: Offence): void;
  /** An attempt to sign in proved nobody: to be counted, not recorded one by one. */
  onUnproven(reason: ReasonCode): void;
  /** Takes one of the user's places; the function gives it back. Null: there is none left. */
  takePlace(key: string): (() => void) | null;
  /** Takes a place among connections that wait for a person's approval. Null: there is none left. */
  takePending(): (() => void) | null;
  /** The sign-in is over, either way, and no longer counts among the starts. Once or more. */
  onSettled(): void;
}

/** What the connection gives it. */
export interface SignInParts {
  readonly options: SignInOptions;
  readonly connectionId: string;
  readonly clientVersion: string;
  readonly transport: SshTransport;
  readonly state: ConnectionState;
  readonly checkAccount: AdmissionRequest["checkAccount"];
  readonly permitsFor: AdmissionRequest["permitsFor"];
  /** Cuts the transport, without a word. */
  cut(): void;
  /** Cuts it as soon as what was sent last has left. */
  cutSoon(): void;
  onAdmitted(admitted: Admitted, accept: () => void): void;
}

/** Time for a client to leave by itself, with words of its own, once it has had its last answer. */
const LEAVE_MS = 150;

export class SignIn {
  readonly #parts: SignInParts;
  readonly #authenticator: Authenticator;
  #timer: NodeJS.Timeout;
  #goodbye: NodeJS.Timeout | undefined;
  #place: (() => void) | null = null;
  /** What went wrong beyond failing to sign in. */
  #fault: "grace-exceeded" | "protocol-error" | null = null;
  #isOver = false;

  constructor(parts: SignInParts) {
    this.#parts = parts;
    const { options, state } = parts;
    this.#timer = setTimeout(() => this.#onGraceOver(), options.limits.graceMs);
    this.#authenticator = new Authenticator({
      ...parts,
      serverContext: options.serverContext,
      origin: options.origin,
      triesMax: options.limits.authTriesMax,
      takePlace: (key) => {
        this.#place ??= options.takePlace(key);
        return this.#place !== null;
      },
      onUnproven: (reason) => options.onUnproven(reason),
      onNotAdmitted: () => {
        this.#givePlaceBack();
        if (state.is("closed")) this.#tellOffence();
      },
      onRefused: (text) => this.#showOut(text),
      takePending: () => options.takePending(),
      extendGrace: (ms) => {
        clearTimeout(this.#timer);
        if (!state.is("closed")) this.#timer = setTimeout(() => this.#onUnanswered(), ms);
      },
    });
  }

  onRequest(context: AuthContext): void {
    this.#authenticator.onRequest(context);
  }

  /** The client has done what no client does. */
  onProtocolError(): void {
    this.#fault ??= "protocol-error";
  }

  /** Somebody is in. Their place is given back by `close`. */
  settle(): void {
    clearTimeout(this.#timer);
    this.#parts.options.onSettled();
  }

  /** The connection is gone. `isProven`: somebody was in. */
  close({ isProven }: { readonly isProven: boolean }): void {
    for (const timer of [this.#timer, this.#goodbye]) clearTimeout(timer);
    this.#authenticator.end();
    this.#parts.options.onSettled();
    // A proof that is still being decided says itself what became of it.
    if (this.#authenticator.isDeciding) return;
    this.#givePlaceBack();
    if (!isProven) this.#tellOffence();
  }

  #givePlaceBack(): void {
    this.#place?.();
    this.#place = null;
  }

  #onGraceOver(): void {
    if (this.#parts.state.is("open")) return;
    this.#fault ??= "grace-exceeded";
    this.#parts.cut();
  }

  /** The time in which a person could approve the sign-in is over. */
  #onUnanswered(): void {
    if (this.#parts.state.is("open")) return;
    const text = "The sign-in was not approved in time; connect again";
    this.#parts.transport.disconnect(DISCONNECT.BY_APPLICATION, text);
    this.#parts.cutSoon();
  }

  /** Disconnects an unproven client, unless it leaves by itself in the meantime. */
  #showOut(text: string): void {
    this.#goodbye = setTimeout(() => {
      this.#parts.transport.disconnect(DISCONNECT.NO_MORE_AUTH_METHODS, text);
      this.#parts.cutSoon();
    }, LEAVE_MS);
  }

  /** A proven person who may not come in has committed no offence. */
  #tellOffence(): void {
    const { outcome } = this.#authenticator;
    if (this.#isOver || outcome === "refused") return;
    this.#isOver = true;
    this.#parts.options.onOffence(this.#fault ?? (outcome === "failed" ? "authfail" : "noauth"));
  }
}
