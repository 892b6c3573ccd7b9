/**
 * `KEY=VALUE` arguments of `qf account set` and of `--set`: dotted keys, values as JSON or plain text.
 *
 * @module
 */
import type { ZodType } from "zod";
import { QfError } from "../base/errors.ts";
import { momentMs } from "./when.ts";

/** A JSON object. */
export type JsonObject = { readonly [key: string]: unknown };

/** One assignment: its path and value. */
export interface Assignment {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Most parts of a key: `ssh.local_forward` has two. */
const PATH_PARTS_MAX = 4;
const KEY = /^[a-z][A-Za-z0-9_]{0,63}$/;

/** `text` is `KEY=VALUE`. Throws ERR_USAGE for anything else. */
export function parseAssignment(text: string): Assignment {
  const split = text.indexOf("=");
  const path = text.slice(0, Math.max(split, 0)).split(".");
  if (split < 1 || path.length > PATH_PARTS_MAX || !path.every((part) => KEY.test(part))) {
    throw new QfError("ERR_USAGE", `${JSON.stringify(text)} is not KEY=VALUE`, {
      hint: "such as require.reason=true, or login_seconds_max=3600",
    });
  }
  return { path, value: parseValue(text.slice(split + 1)) };
}

/** A JSON value if the text is one; else a list if it has commas; else the text itself. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text.includes(",") ? text.split(",").map((part) => part.trim()) : text;
  }
}

/**
 * Converts values to what `schema` expects where plain text is ambiguous: one entry becomes a list, a number
 * among texts a text, a date or a time such as 2027-01-31T00:00:00Z seconds. Unknown fields stay unchanged.
 */
export function fitTo(schema: ZodType, assignments: readonly Assignment[]): Assignment[] {
  return assignments.map(({ path, value }) => ({ path, value: fitted(schemaAt(schema, path), value) }));
}

function fitted(schema: Shape | undefined, value: unknown): unknown {
  if (schema === undefined || value === null) return value;
  if (schema.def.type === "number") return secondsOf(value);
  if (schema.def.type !== "array") return value;
  const entries: readonly unknown[] = Array.isArray(value) ? value : [value];
  const isText = schema.def.element?.def.type === "string";
  return entries.map((entry) => (isText && typeof entry === "number" ? String(entry) : entry));
}

function secondsOf(value: unknown): unknown {
  const ms = typeof value === "string" ? momentMs(value) : undefined;
  return ms === undefined ? value : Math.floor(ms / 1000);
}

/** The parts of a zod schema that are inspected here. */
interface Shape {
  readonly def: {
    readonly type: string;
    readonly innerType?: Shape;
    readonly in?: Shape;
    readonly out?: Shape;
    readonly element?: Shape;
    readonly shape?: Readonly<Record<string, Shape>>;
  };
}

function schemaAt(schema: ZodType, path: readonly string[]): Shape | undefined {
  let at: Shape | undefined = bare(schema as unknown as Shape);
  for (const part of path) {
    const shape: Shape["def"]["shape"] = at?.def.shape;
    at = shape !== undefined && Object.hasOwn(shape, part) ? bare(shape[part]) : undefined;
  }
  return at;
}

/** The schema without `optional`, `nullable` and transformations around it. */
function bare(schema: Shape | undefined): Shape | undefined {
  const { innerType, in: before, out: after } = schema?.def ?? {};
  const inner = innerType ?? (before?.def.type === "transform" ? after : before);
  return inner === undefined ? schema : bare(inner);
}

/** A copy of `object` with `assignments` applied. Creates missing objects on the way. */
export function assign(object: JsonObject, assignments: readonly Assignment[]): JsonObject {
  return assignments.reduce((current, { path, value }) => put(current, path, value), object);
}

function put(object: JsonObject, [head = "", ...rest]: readonly string[], value: unknown): JsonObject {
  if (rest.length === 0) return { ...object, [head]: value };
  const inner = object[head];
  return { ...object, [head]: put(isObject(inner) ? inner : {}, rest, value) };
}

/** As `assign`, but null removes the field, for fields whose schema does not accept null. */
export function assignOrRemove(object: JsonObject, assignments: readonly Assignment[]): JsonObject {
  const removed = assignments.filter(({ value }) => value === null);
  return removed.reduce((current, { path }) => take(current, path), assign(object, assignments));
}

function take(object: JsonObject, [head = "", ...rest]: readonly string[]): JsonObject {
  const { [head]: inner, ...others } = object;
  return rest.length === 0 || !isObject(inner) ? others : { ...others, [head]: take(inner, rest) };
}

/** `object` as pairs of dotted key and value, in order. Undefined values are left out. */
export function flatten(object: JsonObject, prefix = ""): [string, unknown][] {
  return Object.entries(object).flatMap(([key, value]): [string, unknown][] => {
    if (value === undefined) return [];
    if (isObject(value) && Object.keys(value).length > 0) return flatten(value, `${prefix}${key}.`);
    return [[`${prefix}${key}`, value]];
  });
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
