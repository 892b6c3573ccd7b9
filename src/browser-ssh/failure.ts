/**
 * Ways in which a connection of the page fails, each with the sentence that the person reads.
 *
 * @module
 */

/**
 * - `host_key`: the machine showed another key than management named.
 * - `denied`: the machine refused the sign-in, and said why in its banner.
 * - `protocol`: the other end sent what has no place.
 * - `lost`: the way to the machine is gone.
 * - `ended`: the machine said goodbye, with its reason.
 * - `refused`: one request (a channel, a file) was refused; the connection goes on.
 * - `timeout`: nothing came in time.
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

/** Text of the other end without what a terminal would act on: control characters but line breaks. */
export function printable(text: string): string {
  return text
    .slice(0, TEXT_CHARS_MAX)
    .replaceAll("\r\n", "\n")
    .replace(/[^\P{C}\n]/gu, "");
}
