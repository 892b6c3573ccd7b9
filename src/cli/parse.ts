/** Parsers of flags' values. Each throws ERR_USAGE naming the flag. */
import { QfError } from "../base/errors.ts";
import { LOG_LEVELS } from "../base/log.ts";
import { REPEAT_SEPARATOR } from "./strict-args.ts";

/** A whole number of seconds, at most ten years. */
export function parseSeconds(flag: string, text: string): number {
  return parseWhole(flag, text, { min: 0, max: 315_360_000, unit: "seconds" });
}

/** A whole number between `min` and `max`, in `unit`. */
export function parseWhole(
  flag: string,
  text: string,
  bounds: { readonly min: number; readonly max: number; readonly unit: string },
): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= bounds.min && value <= bounds.max) return value;
  throw bad(flag, `a whole number of ${bounds.unit} from ${bounds.min} to ${bounds.max}`, text);
}

/** An absolute http(s) URL without credentials, query or fragment. Removes a final slash. */
export function parseUrl(flag: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url !== undefined && (url.protocol === "https:" || url.protocol === "http:");
  if (!isHttp || url.username !== "" || url.password !== "" || url.hash !== "" || url.search !== "") {
    throw bad(flag, "a URL such as https://qf.example.com", text);
  }
  return url.href.replace(/\/+$/, "");
}

/** One of `known`, exactly. */
export function parseOneOf<T extends string>(flag: string, text: string, known: readonly T[]): T {
  const found = known.find((value) => value === text);
  if (found === undefined) throw bad(flag, `one of ${known.join(", ")}`, text);
  return found;
}

/** `--log-level`. Undefined: not given. */
export function parseLogLevel(text: string | undefined): (typeof LOG_LEVELS)[number] | undefined {
  return text === undefined ? undefined : parseOneOf("log-level", text, LOG_LEVELS);
}

/** The values of a repeatable flag. */
export function parseRepeated(text: string | undefined): string[] {
  return text === undefined ? [] : text.split(REPEAT_SEPARATOR);
}

/** The values of a repeatable flag that also accepts commas between values. */
export function parseList(text: string | undefined): string[] {
  return parseRepeated(text)
    .flatMap((value) => value.split(","))
    .map((value) => value.trim())
    .filter((value) => value !== "");
}

function bad(flag: string, wanted: string, text: string): QfError {
  return new QfError("ERR_USAGE", `--${flag} must be ${wanted}, not ${JSON.stringify(text)}`);
}
