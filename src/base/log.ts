/**
 * Logging for operators: a constant message, data in fields, all of it on stderr.
 *
 * Never a token, a key, a command or an environment. Evidence is something else: see `audit/`.
 * This is the only import of consola; both of its streams are stderr, since stdout carries what was
 * asked for and in `qf proxy` is the SSH stream itself.
 *
 * @module
 */
import { type ConsolaInstance, createConsola } from "consola/core";

/** Data beside a message. Never a token, a key, a command or an environment. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** error: someone must act; warn: degraded; info: lifecycle; debug: off by default. */
export interface Log {
  error(message: string, fields?: LogFields & { cause?: never }, cause?: unknown): void;
  warn(message: string, fields?: LogFields, cause?: unknown): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}

export type LogLevel = "error" | "warn" | "info" | "debug" | "silent";
const LEVELS: Record<LogLevel, number> = { silent: -999, error: 0, warn: 1, info: 3, debug: 4 };

/** Builds a log that writes one JSON object a line to stderr. */
export function createLog(level: LogLevel): Log {
  const consola: ConsolaInstance = createConsola({
    level: LEVELS[level],
    throttle: 0,
    reporters: [
      {
        log: ({ type, args, date }) => {
          const [message, fields, cause] = args as [string, LogFields | undefined, unknown];
          const entry = {
            time: date.toISOString(),
            level: type,
            message,
            ...fields,
            ...describeCause(cause),
          };
          process.stderr.write(`${JSON.stringify(entry)}\n`);
        },
      },
    ],
  });
  return {
    error: (message, fields, cause) => consola.error(message, fields, cause),
    warn: (message, fields, cause) => consola.warn(message, fields, cause),
    info: (message, fields) => consola.info(message, fields),
    debug: (message, fields) => consola.debug(message, fields),
  };
}

/** A log that drops everything, for tests and for commands that report otherwise. */
export const silentLog: Log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

function describeCause(cause: unknown): { cause?: string; stack?: string } {
  if (cause === undefined) return {};
  if (!(cause instanceof Error)) return { cause: typeof cause };
  // DrizzleQueryError carries bound parameters in its message: never shown.
  if (cause.name === "DrizzleQueryError") return { cause: cause.name };
  return { cause: `${cause.name}: ${cause.message}`, ...(cause.stack ? { stack: cause.stack } : {}) };
}
