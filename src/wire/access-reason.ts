/**
 * The reason that a person gives for an access (`require_reason`): one printable line, as it is stored in the
 * certificate and in the events of the connection.
 *
 * @module
 */
import { z } from "zod";
import { QfError } from "../base/errors.ts";
import { lazySchema } from "./lazy-schema.ts";

/** Fewest characters of a reason. */
export const REASON_LENGTH_MIN = 3;
/** Most characters of a reason. */
export const REASON_LENGTH_MAX = 256;

/** No control, format or private characters, no line ends; no space at either end. */
const PRINTABLE_LINE = /^(?! )[^\p{C}\p{Zl}\p{Zp}]+(?<! )$/u;

/** A reason in the one form that travels and is stored. */
export const AccessReason = lazySchema(() =>
  z.string().refine((text) => {
    const length = [...text].length;
    return length >= REASON_LENGTH_MIN && length <= REASON_LENGTH_MAX && PRINTABLE_LINE.test(text);
  }, "must be one printable line of 3 to 256 characters"),
);
/** A reason in that form. */
export type AccessReason = z.infer<typeof AccessReason>;

/** `typed` as a reason; spaces around it do not count. Throws ERR_USAGE, naming where it came from. */
export function parseReason(from: string, typed: string): AccessReason {
  const parsed = AccessReason.safeParse(typed.trim());
  if (parsed.success) return parsed.data;
  throw new QfError(
    "ERR_USAGE",
    `${from} must be one printable line of ${REASON_LENGTH_MIN} to ${REASON_LENGTH_MAX} characters`,
    { hint: "say what the access is for, such as a ticket" },
  );
}
