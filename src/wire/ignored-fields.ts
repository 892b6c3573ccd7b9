/**
 * Fields of a request that were not read. The sender is told about them, since nothing else shows it.
 *
 * @module
 */
import { RESTRICTING_FIELDS } from "./account-settings.ts";
import { fieldName } from "./issues.ts";

/** Most fields named in one answer. */
const IGNORED_MAX = 16;
/** Edit distance up to which a name counts as a misspelling of another. */
const MISSPELT_MAX = 2;

/** Paths of the fields of `input` missing from `read`, the schema's output for it: `settings.colour`. */
export function ignoredFields(input: unknown, read: unknown): string[] {
  const found: string[] = [];
  collect(input, read, "", found);
  return found;
}

function collect(input: unknown, read: unknown, at: string, found: string[]): void {
  if (input === read || !isObject(input) || !isObject(read)) return;
  for (const [key, value] of Object.entries(input)) {
    if (found.length >= IGNORED_MAX) return;
    const path = Array.isArray(input) ? `${at}[${key}]` : `${at === "" ? "" : `${at}.`}${fieldName(key)}`;
    if (Object.hasOwn(read, key)) collect(value, (read as Record<string, unknown>)[key], path, found);
    else found.push(path);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** The first of `fields` that nearly matches one of our restricting fields, and which. Undefined: none. */
export function misspeltRestriction(
  fields: readonly string[],
): { written: string; meant: string } | undefined {
  for (const written of fields) {
    const name = written.replace(/^.*\./, "");
    const meant = RESTRICTING_FIELDS.find((field) => distance(name, field) <= MISSPELT_MAX);
    if (meant !== undefined) return { written, meant };
  }
  return undefined;
}

/** Edit distance between `a` and `b`. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MISSPELT_MAX) return MISSPELT_MAX + 1;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
