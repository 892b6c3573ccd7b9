/**
 * A connection before it is signed in: its time limit, its slot, and its offences.
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

/** What the server provides. */
export interface SignInOptions {
  readonly serverContext: ServerContext;
  readonly limits: Limits;
  readonly origin: StreamOrigin;
  /** Called at most once, when the connection ended before sign-in by this offence of its source. */
  onOffence(offence: Offence): void;
  /** An attempt proved no identity. It is counted, not recorded individually. */
  onUnproven(reason: ReasonCode): void;
  /** Takes one of the user's connection slots; the function releases it. Null: none is left. */
  takePlace(key: string): (() => void) | null;
  /** Takes a slot for a connection that waits for approval. Null: none is left. */
  takePending(): (() => void) | null;
  /** The sign-in ended either way and no longer counts as a start. May be called more than once. */
  onSettled(): void;
}

/** What the connection provides. */
export interface SignInParts {
  readonly options: SignInOptions;
  readonly connectionId: string;
  readonly clientVersion: string;
  readonly transport: SshTransport;
  readonly state: ConnectionState;
  readonly checkAccount: AdmissionRequest["checkAccount"];
  readonly permitsFor: AdmissionRequest["permitsFor"];
  /** Cuts the transport without a message. */
  cut(): void;
  /** Cuts the transport once the last output has been sent. */
  cutSoon(): void;
  onAdmitted(admitted: Admitted, accept: () => void): void;
}

/** How long a client has to leave by itself, with its own message, after its last answer. */
const LEAVE_MS = 150;

export class SignIn {
  readonly #parts: SignInParts;
  readonly #authenticator: Authenticator;
  #timer: NodeJS.Timeout;
  #goodbye: NodeJS.Timeout | undefined;
  #place: (() => void) | null = null;
  /** A fault beyond a failed sign-in. */
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

  /** The client broke the protocol. */
  onProtocolError(): void {
    this.#fault ??= "protocol-error";
  }

  /** The client is admitted. `close` releases its slot. */
  settle(): void {
    clearTimeout(this.#timer);
    this.#parts.options.onSettled();
  }

  /** The connection is gone. `isProven`: the client was admitted. */
  close({ isProven }: { readonly isProven: boolean }): void {
    for (const timer of [this.#timer, this.#goodbye]) clearTimeout(timer);
    this.#authenticator.end();
    this.#parts.options.onSettled();
    // A decision still in progress releases the slot and reports the offence itself.
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

  /** The time in which a person could approve the sign-in has run out. */
  #onUnanswered(): void {
    if (this.#parts.state.is("open")) return;
    const text = "The sign-in was not approved in time; connect again";
    this.#parts.transport.disconnect(DISCONNECT.BY_APPLICATION, text);
    this.#parts.cutSoon();
  }

  /** Disconnects a client that was refused, unless it leaves by itself first. */
  #showOut(text: string): void {
    this.#goodbye = setTimeout(() => {
      this.#parts.transport.disconnect(DISCONNECT.NO_MORE_AUTH_METHODS, text);
      this.#parts.cutSoon();
    }, LEAVE_MS);
  }

  /** A proven person who was denied has committed no offence. */
  #tellOffence(): void {
    const { outcome } = this.#authenticator;
    if (this.#isOver || outcome === "refused") return;
    this.#isOver = true;
    this.#parts.options.onOffence(this.#fault ?? (outcome === "failed" ? "authfail" : "noauth"));
  }
}
