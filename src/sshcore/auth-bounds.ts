/**
 * Bounds on what the other end may send before sign-in, and the states that our own answers lead to.
 *
 * @module
 */
import { SshReader } from "../base/ssh-buffer.ts";
import type { FrameCheck } from "./channel-bounds.ts";
import type { PatchedProtocol } from "./patched-ssh2.ts";
import { CHATTER, type GuardState, type Role, SSH } from "./permitted.ts";
import {
  ANSWER_BYTES_MAX,
  ANSWERS_MAX,
  EXTENSIONS_MAX,
  METHOD_NAME_BYTES_MAX,
  SERVICE_NAME_BYTES_MAX,
  USER_NAME_BYTES_MAX,
  type WireLimits,
} from "./wire-limits.ts";

const AUTH_SERVICE = "ssh-userauth";

/** The bounds of one connection, before sign-in and for later authentication requests. */
export class AuthBounds {
  readonly #protocol: PatchedProtocol;
  readonly #role: Role;
  readonly #limits: WireLimits;
  readonly #enter: (state: GuardState) => void;
  #bytes = 0;
  #chatter = 0;
  #requests = 0;
  /**
   * A request is still unanswered. RFC 4252 lets a client send more, which ssh2 would answer in reverse
   * order.
   */
  #isUndecided = false;

  /** `enter` is called with the state that an answer of ours leads to. */
  constructor(protocol: PatchedProtocol, role: Role, limits: WireLimits, enter: (state: GuardState) => void) {
    this.#protocol = protocol;
    this.#role = role;
    this.#limits = limits;
    this.#enter = enter;
    after(protocol, "authSuccess", () => enter("open"));
    after(protocol, "authInfoReq", () => enter("prompted"));
    for (const answer of ["authSuccess", "authFailure", "authPKOK", "authInfoReq"] as const) {
      after(protocol, answer, () => {
        this.#isUndecided = false;
      });
    }
  }

  /** Judges a message that its state permits. Throws SshBufferError when it is malformed. */
  checkFrame(state: GuardState, type: number, payload: Buffer): FrameCheck {
    const tooMuch = this.#checkAmount(state, type, payload);
    if (tooMuch !== null) return tooMuch;
    switch (type) {
      case SSH.SERVICE_REQUEST:
        return state === "auth" ? this.#judgeServiceAgain(payload) : judgeService(payload);
      case SSH.SERVICE_ACCEPT:
        return judgeService(payload);
      case SSH.USERAUTH_REQUEST:
        return this.#judgeRequest(payload);
      case SSH.USERAUTH_INFO_RESPONSE:
        // It also awaits our answer: another prompt, success or failure.
        this.#isUndecided = true;
        return judgeAnswers(payload);
      case SSH.EXT_INFO:
        return judgeExtensions(payload);
      case SSH.NEWKEYS:
        return payload.length === 1 ? null : { wrong: "a malformed NEWKEYS" };
      case SSH.USERAUTH_SUCCESS:
        if (this.#role === "client") this.#enter("open");
        return null;
      default:
        return null;
    }
  }

  /** Counts what arrives before sign-in. */
  #checkAmount(state: GuardState, type: number, payload: Buffer): FrameCheck {
    if (state === "open" || state.startsWith("rekey")) return null;
    this.#bytes += payload.length;
    if (this.#bytes > this.#limits.preAuthBytesMax) return { wrong: "too much before signing in" };
    const isChatter = CHATTER.includes(type);
    return isChatter && ++this.#chatter > this.#limits.chatterMax
      ? { wrong: "chatter before signing in" }
      : null;
  }

  #judgeRequest(payload: Buffer): FrameCheck {
    if (this.#isUndecided) return { wrong: "a second request to sign in before the answer to the first" };
    if (this.#isOneTooMany()) return { wrong: "too many requests to sign in" };
    const reader = new SshReader(payload.subarray(1));
    reader.text(USER_NAME_BYTES_MAX);
    reader.text(SERVICE_NAME_BYTES_MAX);
    reader.text(METHOD_NAME_BYTES_MAX);
    this.#isUndecided = true;
    return null;
  }

  /** ssh2 would disconnect, so we answer it here. It starts nothing and counts as a request. */
  #judgeServiceAgain(payload: Buffer): FrameCheck {
    if (this.#requests === 0 || this.#isUndecided) {
      return { wrong: `message ${SSH.SERVICE_REQUEST} in state auth` };
    }
    if (this.#isOneTooMany()) return { wrong: "too many requests to sign in" };
    const check = judgeService(payload);
    if (check !== null) return check;
    this.#protocol.serviceAccept(AUTH_SERVICE);
    return "drop";
  }

  /** Counts one more request. */
  #isOneTooMany(): boolean {
    this.#requests += 1;
    return this.#requests > this.#limits.authRequestsMax;
  }
}

function judgeService(payload: Buffer): FrameCheck {
  const reader = new SshReader(payload.subarray(1));
  const name = reader.text(SERVICE_NAME_BYTES_MAX);
  reader.end();
  return name === AUTH_SERVICE ? null : { wrong: "a service other than signing in" };
}

function judgeAnswers(payload: Buffer): FrameCheck {
  const reader = new SshReader(payload.subarray(1));
  const count = reader.uint32();
  if (count > ANSWERS_MAX) return { wrong: "too many answers" };
  for (let index = 0; index < count; index++) reader.text(ANSWER_BYTES_MAX);
  reader.end();
  return null;
}

function judgeExtensions(payload: Buffer): FrameCheck {
  const count = new SshReader(payload.subarray(1)).uint32();
  return count > EXTENSIONS_MAX ? { wrong: "too many extensions" } : null;
}

type Answer = "authSuccess" | "authFailure" | "authPKOK" | "authInfoReq";

function after(protocol: PatchedProtocol, name: Answer, then: () => void): void {
  const answer = protocol[name];
  protocol[name] = (...args) => {
    answer.apply(protocol, args);
    then();
  };
}
