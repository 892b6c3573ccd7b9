/**
 * A request as a person confirms it: a digest of all of it, and its facts for the page without script.
 *
 * @module
 */
import { printable } from "../../../base/printable.ts";
import { sha256 } from "../../../base/random.ts";

/** Header of the refusal, which leads the dashboard to the page that confirms this very request. */
export const CONFIRM_HEADER = "X-Confirm-Digest";

/** Lines of the page, each a name and a value. */
export type ConfirmFacts = readonly (readonly [name: string, value: string])[];

export interface Confirmable {
  /** Digest over method, path, query and body. */
  readonly digest: string;
  readonly facts: ConfirmFacts;
}

export interface RequestToConfirm {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** What the route does: its summary. */
  readonly summary: string;
  /** As parsed. Undefined: no body. */
  readonly body: unknown;
}

/** Most values shown, and most characters of each. The digest covers all of them. */
const VALUES_MAX = 100;
const VALUE_MAX = 160;
const SECRET_FIELDS = /password|secret|url|token/i;

export function confirmableOf({ method, path, summary, body }: RequestToConfirm): Confirmable {
  const digest = sha256(JSON.stringify(["qufabric/confirm", method, path, body ?? null]));
  const values = valuesIn("", body ?? {});
  const shown = values
    .slice(0, VALUES_MAX)
    .map(([name, value]) => [short(name), shownValue(name, value)] as const);
  const left = values.length - shown.length;
  const more = left === 0 ? [] : [["More", `${left} values that are not shown`] as const];
  return { digest, facts: [["Action", summary], ["Request", `${method} ${path}`], ...shown, ...more] };
}

/** Every value with its path, so that a long one does not cut off those beside it. */
function valuesIn(path: string, value: unknown): (readonly [path: string, value: unknown])[] {
  // An empty field was sent and is shown; undefined means it was not sent.
  if (value === undefined) return [];
  const inner = typeof value === "object" && value !== null ? Object.entries(value) : [];
  if (inner.length === 0) return path === "" ? [] : [[path, value]];
  return inner.flatMap(([name, one]) => valuesIn(path === "" ? name : `${path}.${name}`, one));
}

/** Keeps secrets out of the database and off the page. Of an address that may be one, it shows the host. */
function shownValue(path: string, value: unknown): string {
  if (typeof value !== "string" || !SECRET_FIELDS.test(path)) return short(JSON.stringify(value));
  const url = URL.parse(value);
  return url === null || !/url$/i.test(path) ? "not shown" : short(`${url.origin}/...`);
}

function short(text: string): string {
  const line = printable(text);
  return line.length <= VALUE_MAX ? line : `${line.slice(0, VALUE_MAX)}…`;
}
