/**
 * Text for a person who signs in with a stock SSH client. Plain ASCII, in lines that fit any terminal.
 *
 * @module
 */

import { printable } from "../../base/printable.ts";

/** The URL stands alone on its line, so that it can be clicked or copied whole. */
export function howToApprove(asked: {
  readonly url: string;
  readonly machine: string;
  readonly localUser: string;
  readonly sourceAddress: string;
}): string {
  return [
    "To sign in, open this page in a browser:",
    "",
    asked.url,
    "",
    `It lets the SSH client at ${asked.sourceAddress} in as ${asked.localUser} on ${asked.machine},`,
    "and shows a one-time code. Type it here within five minutes.",
  ].join("\n");
}

export function wrongCode(triesLeft: number): string {
  return `That is not the code of the page; ${triesLeft} ${triesLeft === 1 ? "try is" : "tries are"} left.`;
}

/** `message` is management's reason, without a full stop. Undefined: a person denied the sign-in. */
export function signInDenied(message: string | undefined): string {
  const why = message === undefined ? "the sign-in was denied" : printable(message);
  return `Authentication failed: ${why}. Connect again.`;
}

export const APPROVAL_TEXT = {
  unavailable:
    "Nobody can sign in now: this machine cannot reach its management server. Try again in a minute.",
  full: "Too many sign-ins are waiting on this machine. Try again in five minutes.",
  noSuchName: "That is not an OS user name.",
  tooManyAnswers: "Authentication failed: too many wrong codes. Connect again.",
  over: "Authentication failed: the sign-in has expired. Connect again.",
  waiting: (url: string) => `Nobody has approved this yet. Open the page first:\n\n${url}`,
} as const;
