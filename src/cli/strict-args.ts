/**
 * Checks of arguments before citty sees them, since it accepts unknown flags, drops repeated ones, and obeys
 * `--help` after `--`. The result is `--name=value …  -- positionals`, which citty can read in only one way.
 *
 * @module
 */
import type { ArgDef, ArgsDef } from "citty";
import { QfError } from "../base/errors.ts";
import { closest } from "./closest.ts";
import type { Command } from "./command.ts";

/** Joins the values of a repeatable flag, which must not contain it. */
export const REPEAT_SEPARATOR = "\n";

/** Whether `--help` or `-h` is among our own arguments, that is before `--`. */
export function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end === -1 ? args : args.slice(0, end)).some((arg) => arg === "--help" || arg === "-h");
}

/** The checked arguments. Throws ERR_USAGE, naming the argument, for anything not declared. */
export function checkArgs(command: Command, args: readonly string[]): string[] {
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? "";
    if (arg === "--") {
      positionals.push(...args.slice(at + 1));
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      positionals.push(arg);
      continue;
    }
    const flag = readFlag(command.args, arg);
    let value = flag.value;
    if (value === undefined) {
      at += 1;
      value = args[at];
      // `--setup-key --allow-server-ssh`: a word like a flag is one. A value like that needs `--flag=--x`.
      if (value === undefined || value.startsWith("--")) throw usage(`${flag.written} needs a value`);
    }
    const given = values.get(flag.name) ?? [];
    if (given.length > 0 && !command.repeatable.includes(flag.name)) {
      throw usage(`${flag.written} is given more than once`);
    }
    values.set(flag.name, [...given, checkValue(flag.definition, flag.written, value)]);
  }
  checkPresence(command.args, values, positionals);
  const flags = [...values].map(([name, given]) => `--${name}=${given.join(REPEAT_SEPARATOR)}`);
  return [...flags, "--", ...positionals];
}

interface Flag {
  readonly name: string;
  readonly definition: ArgDef;
  /** As typed, for messages. */
  readonly written: string;
  /** Undefined: the next argument is the value. */
  readonly value: string | undefined;
}

function readFlag(declared: ArgsDef, arg: string): Flag {
  const attached = attachedValue(declared, arg);
  if (attached !== undefined) return attached;
  const equals = arg.indexOf("=");
  const written = equals === -1 ? arg : arg.slice(0, equals);
  const value = equals === -1 ? undefined : arg.slice(equals + 1);
  for (const [name, definition] of Object.entries(declared)) {
    if (definition.type === "positional") continue;
    const isNegative = definition.type === "boolean" && definition.negativeDescription !== undefined;
    if (isNegative) {
      if (written !== `--no-${name}`) continue;
      const isOff = value === undefined || readBoolean(written, value) === "true";
      return { name, definition, written, value: isOff ? "false" : "true" };
    }
    if (written !== `--${name}` && !aliases(definition).includes(written)) continue;
    return { name, definition, written, value: definition.type === "boolean" ? (value ?? "true") : value };
  }
  const near = closest(written, Object.entries(declared).flatMap(writtenForms));
  throw usage(`unknown flag ${written}`, near === undefined ? undefined : `did you mean ${near}?`);
}

/** How a flag is written: nothing for a positional, `--no-x` for a flag that is on by default. */
function writtenForms([name, definition]: readonly [string, ArgDef]): string[] {
  if (definition.type === "positional") return [];
  const isNegative = definition.type === "boolean" && definition.negativeDescription !== undefined;
  return [isNegative ? `--no-${name}` : `--${name}`];
}

/** `-n5`: a single letter with its value attached. Undefined for anything else. */
function attachedValue(declared: ArgsDef, arg: string): Flag | undefined {
  const match = /^(-[A-Za-z])([^=].*)$/s.exec(arg);
  if (match === null) return undefined;
  const [, written = "", value = ""] = match;
  for (const [name, definition] of Object.entries(declared)) {
    if (definition.type !== "string" && definition.type !== "enum") continue;
    if (aliases(definition).includes(written)) return { name, definition, written, value };
  }
  return undefined;
}

function aliases(definition: ArgDef): string[] {
  const alias = "alias" in definition ? definition.alias : undefined;
  const all = alias === undefined ? [] : Array.isArray(alias) ? alias : [alias];
  return all.map((name) => (name.length === 1 ? `-${name}` : `--${name}`));
}

function checkValue(definition: ArgDef, written: string, value: string): string {
  if (definition.type === "boolean") return readBoolean(written, value);
  if (value.includes(REPEAT_SEPARATOR)) throw usage(`${written} has a line break in its value`);
  if (definition.type === "enum" && !(definition.options ?? []).includes(value)) {
    throw usage(`${written} must be one of ${(definition.options ?? []).join(", ")}`);
  }
  return value;
}

function readBoolean(written: string, value: string): "true" | "false" {
  if (value === "true" || value === "1") return "true";
  if (value === "false" || value === "0") return "false";
  throw usage(`${written} takes true or false`);
}

function checkPresence(declared: ArgsDef, values: Map<string, string[]>, positionals: string[]): void {
  let wanted = 0;
  for (const [name, definition] of Object.entries(declared)) {
    if (definition.type === "positional") {
      wanted += 1;
      if (definition.required !== false && positionals.length < wanted) {
        throw usage(`${(definition.valueHint ?? name).toUpperCase()} is missing`);
      }
    } else if (definition.required === true && !values.has(name)) {
      throw usage(`--${name} is missing`);
    }
  }
  const extra = positionals[wanted];
  if (extra !== undefined) throw usage(`unexpected argument ${JSON.stringify(extra)}`);
}

function usage(message: string, hint?: string): QfError {
  return new QfError("ERR_USAGE", message, hint === undefined ? {} : { hint });
}
