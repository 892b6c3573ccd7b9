/**
 * Summaries of audit events, one line each.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";

export type AuditEvent = Answer<"GET /api/events/audit">[number];

/** Ids and serial numbers. Only the event's dialog shows them. */
const IS_ID = /^(?:[a-z0-9]{19,20}|\d{12,}|[0-9a-f]{32,})$/;

/** Names and values, such as `machine web1 · local user deploy`. Ids and empty values are left out. */
export function aboutText(meta: Readonly<Record<string, string>>): string {
  return Object.entries(meta)
    .filter(([, value]) => value !== "" && !IS_ID.test(value))
    .map(([name, value]) => `${words(name)} ${name === "reason" ? words(value) : value}`)
    .join(" · ");
}

/** Turns `local_user` and `localUser` into `local user`. */
export function words(text: string): string {
  return text.replaceAll("_", " ").replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
