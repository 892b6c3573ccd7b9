/**
 * Canonical JSON (RFC 8785): one encoding per value, so that anyone can recompute its hash.
 *
 * @module
 */
import { assert } from "../base/assert.ts";

/** Deeper than any event. Bounds the recursion. */
const DEPTH_MAX = 64;

/**
 * The canonical JSON of `value`. Members that are undefined are left out, as `JSON.stringify` does.
 *
 * Fails an assertion for values without such a form: non-finite numbers, strings that are not well-formed
 * Unicode, functions, or more than 64 levels. `asStored` prepares foreign values.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  assert(depth <= DEPTH_MAX, "canonical JSON nests at most 64 levels");
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    assert(Number.isFinite(value), "canonical JSON has finite numbers only");
    // ECMAScript's own form is the one that section 3.2.2.3 asks for; JSON.stringify makes "0" of -0.
    return JSON.stringify(value);
  }
  if (typeof value === "string") return text(value);
  assert(typeof value === "object", "canonical JSON has values of JSON only");
  if (Array.isArray(value)) return `[${value.map((one) => write(one, depth + 1)).join(",")}]`;
  return `{${members(value, depth).join(",")}}`;
}

/** Sorted by UTF-16 code units (section 3.2.3), which is how ECMAScript compares strings. */
function members(value: object, depth: number): string[] {
  return Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${text(name)}:${write(member, depth + 1)}`);
}

function text(value: string): string {
  assert(value.isWellFormed(), "canonical JSON has well-formed strings only");
  return JSON.stringify(value);
}

/**
 * `value` as it is after being stored and read: lone surrogates become U+FFFD, in names too, and values that
 * JSON cannot express become null.
 */
export function asStored<T>(value: T): T {
  return heal(value) as T;
}

function heal(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(heal);
  if (typeof value === "boolean") return value;
  if (typeof value !== "object" || value === null) return null;
  const members = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(members.map(([name, one]) => [name.toWellFormed(), heal(one)]));
}
