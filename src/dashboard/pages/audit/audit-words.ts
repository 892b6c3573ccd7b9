/**
 * What an event is about, in a line.
 *
 * @module
 */

/** Numbers and ids, which are for the event's own page. */
const IS_ID = /^(?:[a-z0-9]{19,20}|\d{12,}|[0-9a-f]{32,})$/;

/** `machine web1 · local user deploy`, without ids and what is empty. */
export function aboutText(meta: Readonly<Record<string, string>>): string {
  return Object.entries(meta)
    .filter(([, value]) => value !== "" && !IS_ID.test(value))
    .map(([name, value]) => `${words(name)} ${name === "reason" ? words(value) : value}`)
    .join(" · ");
}

function words(text: string): string {
  return text.replaceAll("_", " ");
}
