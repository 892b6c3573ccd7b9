/**
 * Bounds of what is said before somebody is signed in, and what our own answers mean for the state.
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

export interface AuthBounds {
  /** Judges a message that its state permits. Throws SshBufferError when it is malformed. */
  checkFrame(state: GuardState, type: number, payload: Buffer): FrameCheck;
}

/** `enter` is told the state that an answer of ours leads to. */
export function createAuthBounds(
  protocol: PatchedProtocol,
  role: Role,
  limits: WireLimits,
  enter: (state: GuardState) => void,
): AuthBounds {
  let bytes = 0;
  let chatter = 0;
  let requests = 0;
  /**
   * A request was taken and not answered. RFC 4252 lets a client send more; ssh2 would answer them in
   * reverse.
   */
  let isUndecided = false;
  after(protocol, "authSuccess", () => enter("open"));
  after(protocol, "authInfoReq", () => enter("prompted"));
  for (const answer of ["authSuccess", "authFailure", "authPKOK", "authInfoReq"] as const) {
    after(protocol, answer, () => {
      isUndecided = false;
    });
  }

  const judgeRequest = (payload: Buffer): FrameCheck => {
    if (isUndecided) return { wrong: "a second request to sign in before the answer to the first" };
    if (++requests > limits.authRequestsMax) return { wrong: "too many requests to sign in" };
    const reader = new SshReader(payload.subarray(1));
    reader.text(USER_NAME_BYTES_MAX);
    reader.text(SERVICE_NAME_BYTES_MAX);
    reader.text(METHOD_NAME_BYTES_MAX);
    isUndecided = true;
    return null;
  };

  /** ssh2 would disconnect, so it is answered here: it begins nothing, and counts as a request. */
  const judgeServiceAgain = (payload: Buffer): FrameCheck => {
    if (requests === 0 || isUndecided) return { wrong: `message ${SSH.SERVICE_REQUEST} in state auth` };
    if (++requests > limits.authRequestsMax) return { wrong: "too many requests to sign in" };
    const check = judgeService(payload);
    if (check !== null) return check;
    protocol.serviceAccept(AUTH_SERVICE);
    return "drop";
  };

  return {
    checkFrame(state, type, payload) {
      const isChatter = CHATTER.includes(type);
      if (state !== "open" && !state.startsWith("rekey")) {
        bytes += payload.length;
        if (bytes > limits.preAuthBytesMax) return { wrong: "too much before signing in" };
        if (isChatter && ++chatter > limits.chatterMax) return { wrong: "chatter before signing in" };
      }
      if (type === SSH.SERVICE_REQUEST && state === "auth") return judgeServiceAgain(payload);
      if (type === SSH.SERVICE_REQUEST || type === SSH.SERVICE_ACCEPT) return judgeService(payload);
      if (type === SSH.USERAUTH_REQUEST) return judgeRequest(payload);
      if (type === SSH.USERAUTH_INFO_RESPONSE) {
        // It, too, waits for our answer: another prompt, success or failure.
        isUndecided = true;
        return judgeAnswers(payload);
      }
      if (type === SSH.EXT_INFO) return judgeExtensions(payload);
      if (type === SSH.NEWKEYS && payload.length !== 1) return { wrong: "a malformed NEWKEYS" };
      if (type === SSH.USERAUTH_SUCCESS && role === "client") enter("open");
      return null;
    },
  };
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
