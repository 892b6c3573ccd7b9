/**
 * Failures of the page's SSH connection, each with the sentence that the user reads.
 *
 * @module
 */

/**
 * - `host_key`: the machine showed a key that management did not name, or could not prove its key.
 * - `denied`: the machine refused the sign-in, and said why in its banner.
 * - `protocol`: the other end violated the protocol.
 * - `lost`: the connection to the machine was lost.
 * - `ended`: the connection was ended on purpose, with a reason.
 * - `refused`: one request (a channel, a file) was refused; the connection continues.
 * - `timeout`: no answer came in time.
 */
export type FailureCode = "host_key" | "denied" | "protocol" | "lost" | "ended" | "refused" | "timeout";

export class SshFailure extends Error {
  override readonly name = "SshFailure";
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const TEXT_CHARS_MAX = 1_024;

/**
 * Strips control characters other than line breaks from the other end's text, so that a terminal acts on
 * none.
 */
export function printable(text: string): string {
  return text
    .slice(0, TEXT_CHARS_MAX)
    .replaceAll("\r\n", "\n")
    .replace(/[^\P{C}\n]/gu, "");
}
