/**
 * Descriptions of input that did not parse: one line that names the field.
 *
 * @module
 */
import type { z } from "zod";

/** Most faults reported at once. */
const ISSUES_MAX = 3;
const FIELD_LENGTH_MAX = 64;

/**
 * One line for people, such as `rules[0].ports[1] is not a port; unknown field "colour"`. Holds field names,
 * never values; at most three faults.
 */
export function describeIssues(error: z.ZodError): string {
  // Unknown fields come first: they are often misspellings of missing ones.
  const isUnknown = (issue: z.core.$ZodIssue): boolean => issue.code === "unrecognized_keys";
  const issues = [...error.issues.filter(isUnknown), ...error.issues.filter((issue) => !isUnknown(issue))];
  const faults = issues.flatMap(describeIssue);
  const more = faults.length > ISSUES_MAX ? [`and ${faults.length - ISSUES_MAX} more`] : [];
  return [...faults.slice(0, ISSUES_MAX), ...more].join("; ");
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  const path = pathOf(issue.path);
  const at = path === "" ? "" : ` in ${path}`;
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `unknown field "${fieldName(key)}"${at}`);
  }
  const field = path === "" ? "the body" : path;
  switch (issue.code) {
    case "invalid_type":
      // zod reveals only in its message that the input was undefined.
      return [
        /received undefined/.test(issue.message)
          ? `${field} is missing`
          : `${field} is not ${article(issue.expected)}`,
      ];
    case "invalid_value":
      return [`${field} must be one of ${issue.values.map(String).join(", ")}`];
    case "too_small":
      return [
        ownWords(issue, /^Too small/) ?? `${field} must be at least ${issue.minimum}${unit(issue.origin)}`,
      ].map(prefix);
    case "too_big":
      return [
        ownWords(issue, /^Too big/) ?? `${field} must be at most ${issue.maximum}${unit(issue.origin)}`,
      ].map(prefix);
    default:
      return [prefix(ownWords(issue, /^Invalid/) ?? `${field} is not valid`)];
  }

  function prefix(text: string): string {
    return text.startsWith(field) ? text : `${field} ${text}`;
  }
}

/** The message our schema set, unless it is the library's default. */
function ownWords(issue: z.core.$ZodIssue, isDefault: RegExp): string | undefined {
  return isDefault.test(issue.message) ? undefined : issue.message;
}

function pathOf(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${fieldName(String(step))}`))
    .join("")
    .replace(/^\./, "");
}

/**
 * A foreign field name made safe to show: at most 64 characters, without anything a terminal or log would
 * interpret.
 */
export function fieldName(name: string): string {
  return name.slice(0, FIELD_LENGTH_MAX).replace(/[^\x20-\x7e]|["\\]/g, "?");
}

function unit(origin: string): string {
  if (origin === "string") return " characters";
  return origin === "array" ? " entries" : "";
}

function article(expected: string): string {
  return /^[aeiou]/.test(expected) ? `an ${expected}` : `a ${expected}`;
}
