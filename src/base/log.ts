/**
 * Logging for operators: constant messages, data in fields, everything on stderr.
 *
 * Never a token, a key, a command or an environment. Evidence is separate: see `audit/`. This is the only
 * import of consola. Both its streams are stderr, because stdout carries a command's output, and in `qf
 * proxy` the SSH stream itself.
 *
 * @module
 */
import { type ConsolaInstance, createConsola } from "consola/core";

/** Data beside a message. Never a token, a key, a command or an environment. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/**
 * A log with four levels. error: someone must act; warn: degraded; info: lifecycle; debug: off by default.
 * `cause` is written as name, message and stack.
 */
export interface Log {
  error(message: string, fields?: LogFields & { cause?: never }, cause?: unknown): void;
  warn(message: string, fields?: LogFields, cause?: unknown): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}

/** The least important level that is written; `silent` writes nothing. */
export type LogLevel = "error" | "warn" | "info" | "debug" | "silent";
/** Levels that `--log-level` and QF_LOG_LEVEL take, the most important first. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const satisfies readonly LogLevel[];

/**
 * The level that `environment` asks for: QF_LOG_LEVEL where it is one, else debug with QF_DEBUG=1, else info.
 */
export function logLevelOf(environment: Readonly<Record<string, string | undefined>>): LogLevel {
  const named = LOG_LEVELS.find((level) => level === environment.QF_LOG_LEVEL);
  return named ?? (environment.QF_DEBUG === "1" ? "debug" : "info");
}

const LEVELS: Record<LogLevel, number> = { silent: -999, error: 0, warn: 1, info: 3, debug: 4 };

/**
 * A log that writes to stderr, one JSON object a line: `time` (ISO 8601), `level`, `message`, fields, cause.
 */
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
          writeLine(JSON.stringify(entry));
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

/** A log that drops everything, for tests and for commands that report another way. */
export const silentLog: Log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

let isGuarded = false;

/** A log that cannot be written (full disk, closed pipe) must not end the process. */
function writeLine(line: string): void {
  if (!isGuarded) process.stderr.on("error", () => {});
  isGuarded = true;
  try {
    process.stderr.write(`${line}\n`);
  } catch {
    // As above.
  }
}

function describeCause(cause: unknown): { cause?: string; stack?: string } {
  if (cause === undefined) return {};
  if (!(cause instanceof Error)) return { cause: typeof cause };
  // DrizzleQueryError carries bound parameters in its message: never shown.
  if (cause.name === "DrizzleQueryError") return { cause: cause.name };
  return { cause: `${cause.name}: ${cause.message}`, ...(cause.stack ? { stack: cause.stack } : {}) };
}
