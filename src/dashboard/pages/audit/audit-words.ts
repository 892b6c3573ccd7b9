/**
 * Events of the log, each summed up in a line.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";

export type AuditEvent = Answer<"GET /api/events/audit">[number];

/** Ids and serial numbers: the event's own dialog has them. */
const IS_ID = /^(?:[a-z0-9]{19,20}|\d{12,}|[0-9a-f]{32,})$/;

/** Names and values such as `machine web1 · local user deploy`, without ids and empty ones. */
export function aboutText(meta: Readonly<Record<string, string>>): string {
  return Object.entries(meta)
    .filter(([, value]) => value !== "" && !IS_ID.test(value))
    .map(([name, value]) => `${words(name)} ${name === "reason" ? words(value) : value}`)
    .join(" · ");
}

/** `local user` of `local_user` and `localUser`. */
export function words(text: string): string {
  return text.replaceAll("_", " ").replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
