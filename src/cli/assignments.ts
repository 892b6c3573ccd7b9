/**
 * `KEY=VALUE` arguments of `qf account set` and of `--set`: dotted keys, values as JSON or plain text.
 *
 * @module
 */
import { QfError } from "../base/errors.ts";

/** A JSON object. */
export type JsonObject = { readonly [key: string]: unknown };

/** One assignment: where it goes and what. */
export interface Assignment {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Deepest key: `ssh.local_forward` has two parts. */
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

/** A JSON value where it is one; else a list where there are commas; else the text itself. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text.includes(",") ? text.split(",").map((part) => part.trim()) : text;
  }
}

/** A copy of `object` in which `assignments` hold. Objects on the way are made where there are none. */
export function assign(object: JsonObject, assignments: readonly Assignment[]): JsonObject {
  return assignments.reduce((current, { path, value }) => put(current, path, value), object);
}

function put(object: JsonObject, [head = "", ...rest]: readonly string[], value: unknown): JsonObject {
  if (rest.length === 0) return { ...object, [head]: value };
  const inner = object[head];
  return { ...object, [head]: put(isObject(inner) ? inner : {}, rest, value) };
}

/** `object` as dotted keys beside values, in the order in which they stand. */
export function flatten(object: JsonObject, prefix = ""): [string, unknown][] {
  return Object.entries(object).flatMap(([key, value]): [string, unknown][] =>
    isObject(value) && Object.keys(value).length > 0
      ? flatten(value, `${prefix}${key}.`)
      : [[`${prefix}${key}`, value]],
  );
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
