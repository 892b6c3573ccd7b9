/**
 * The requirements of a group for logins at its machines: in words, and as the API takes them.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";
import { obligationClauses } from "../policies/rule-words.ts";

export type GroupRequire = NonNullable<Answer<"GET /api/groups">[number]["require"]>;

/** In the words of a rule's sentence. Empty if it requires nothing. */
export function requireText(require: GroupRequire | undefined): string {
  const { record, reason, approval, reauth_within_seconds: seconds } = require ?? {};
  return obligationClauses({
    ssh: {
      ...(record === undefined ? {} : { record }),
      ...(reason === true ? { require_reason: true } : {}),
      ...(approval === true ? { require_approval: true } : {}),
      ...(typeof seconds === "number" ? { reauth_within_seconds: seconds } : {}),
    },
  }).join(", ");
}

/** With every field, since the API leaves fields that are not named as they were. */
export function wholeRequire({
  record = "off",
  reason = false,
  approval = false,
  reauth_within_seconds = null,
}: GroupRequire): Required<GroupRequire> {
  return { record, reason, approval, reauth_within_seconds };
}
