/**
 * The error of a forward helper's order that failed.
 *
 * @module
 */
import type { ForwardFailure } from "../../wire/audit-event.ts";

/** A failure reported by the helper, or of a socket that it opened. */
export class ForwardHelperError extends Error {
  override readonly name = "ForwardHelperError";
  readonly failure: ForwardFailure;

  constructor(failure: ForwardFailure) {
    super(`the forward helper says ${failure}`);
    this.failure = failure;
  }
}
