/**
 * The reason a person gives for an access (`require_reason`): one printable line, stored in the certificate
 * and in the connection's events.
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

/** A reason in the form that is sent and stored. */
export const AccessReason = lazySchema(() =>
  z.string().refine((text) => {
    const length = [...text].length;
    return length >= REASON_LENGTH_MIN && length <= REASON_LENGTH_MAX && PRINTABLE_LINE.test(text);
  }, "must be one printable line of 3 to 256 characters"),
);
/** As parsed. */
export type AccessReason = z.infer<typeof AccessReason>;

/** Hints beside a refused reason, by what the reason is for. */
const HINTS = {
  access: "say what the access is for, such as a ticket",
  change: "say why this is changed, such as a ticket",
  denial: "say why it is denied",
} as const;

/** Parses `typed` as a reason, ignoring surrounding spaces. Throws ERR_USAGE that names `from`. */
export function parseReason(
  from: string,
  typed: string,
  reasonFor: keyof typeof HINTS = "access",
): AccessReason {
  const parsed = AccessReason.safeParse(typed.trim());
  if (parsed.success) return parsed.data;
  throw new QfError(
    "ERR_USAGE",
    `${from} must be one printable line of ${REASON_LENGTH_MIN} to ${REASON_LENGTH_MAX} characters`,
    { hint: HINTS[reasonFor] },
  );
}
