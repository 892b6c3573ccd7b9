/**
 * A request as a person confirms it: a digest of all of it, and its facts for the page without script.
 *
 * @module
 */
import { sha256 } from "../../../base/random.ts";

/** Header of the refusal, by which the dashboard leads to the page that confirms this very request. */
export const CONFIRM_HEADER = "X-Confirm-Digest";

/** Lines of the page, each a name and a value. */
export type ConfirmFacts = readonly (readonly [name: string, value: string])[];

export interface Confirmable {
  /** Of method, path, query and body. */
  readonly digest: string;
  readonly facts: ConfirmFacts;
}

export interface RequestToConfirm {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** What the route does, as its summary says. */
  readonly summary: string;
  /** As parsed. Undefined: none. */
  readonly body: unknown;
}

/** Fields shown, and characters of each; the digest is over all of them. */
const FIELDS_MAX = 16;
const VALUE_MAX = 160;
const SECRET_FIELDS = /password|secret|url|token/i;

export function confirmableOf({ method, path, summary, body }: RequestToConfirm): Confirmable {
  const digest = sha256(JSON.stringify(["qufabric/confirm", method, path, body ?? null]));
  const all = typeof body === "object" && body !== null ? Object.entries(body) : [];
  // A field that was written as empty is there, and undefined.
  const fields = all.filter(([, value]) => value !== undefined);
  const shown = fields.slice(0, FIELDS_MAX).map(([name, value]) => [name, shownValue(name, value)] as const);
  return { digest, facts: [["Action", summary], ["Request", `${method} ${path}`], ...shown] };
}

/** Secrets stay out of the database and off the page, wherever in a value they stand. */
function shownValue(name: string, value: unknown): string {
  if (SECRET_FIELDS.test(name)) return "not shown";
  const text = JSON.stringify(value, (key, one: unknown) => (SECRET_FIELDS.test(key) ? "not shown" : one));
  return text.length <= VALUE_MAX ? text : `${text.slice(0, VALUE_MAX)}…`;
}
