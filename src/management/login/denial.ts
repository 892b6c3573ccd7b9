/**
 * Denial of a proven person as an error, for answers that have no field for a decision.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import { sentenceOf } from "../../policy/sentences.ts";
import type { ReasonCode } from "../../wire/reason.ts";

/** Carries the reason code to the code that renders the error. */
export class DenialCause extends Error {
  override readonly name = "DenialCause";
  readonly reason: ReasonCode;

  constructor(reason: ReasonCode) {
    super(reason);
    this.reason = reason;
  }
}

/** ERR_ACCESS_DENIED with the sentence and hint of `reason`. */
export function denial(reason: ReasonCode): QfError {
  const { sentence, hint } = sentenceOf(reason);
  return new QfError("ERR_ACCESS_DENIED", sentence, { hint, cause: new DenialCause(reason) });
}
