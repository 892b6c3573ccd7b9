/**
 * Look-up of the one object that a person named.
 *
 * @module
 */
import { QfError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";

/** Most candidates that a refusal lists. */
const CANDIDATES_MAX = 5;

/**
 * The one of `all` that `name` matches. A match of an earlier key wins. Throws ERR_NOT_FOUND for none, and
 * ERR_CONFLICT for several matches of the same key, described by `show`. `lister` is the command that lists
 * all of them.
 */
export function theOne<T>(
  kind: string,
  name: string,
  all: readonly T[],
  keysOf: (item: T) => readonly string[],
  show?: (item: T) => string,
  lister = `qf ${kind} list`,
): T {
  const found = all.filter((item) => keysOf(item).includes(name));
  const rank = Math.min(...found.map((item) => keysOf(item).indexOf(name)));
  const exact = found.filter((item) => keysOf(item).indexOf(name) === rank);
  const [first] = exact;
  if (first === undefined) {
    throw new QfError("ERR_NOT_FOUND", `there is no ${kind} ${JSON.stringify(name)}`, {
      hint: `${lister} shows all`,
    });
  }
  if (exact.length > 1) {
    const candidates = show === undefined ? [] : exact.slice(0, CANDIDATES_MAX).map(show);
    throw new QfError("ERR_CONFLICT", `${JSON.stringify(name)} names more than one ${kind}`, {
      hint:
        candidates.length === 0
          ? `use its id; ${lister} shows it`
          : printable(`use its id: ${candidates.join(", ")}`),
    });
  }
  return first;
}
