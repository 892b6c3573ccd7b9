/**
 * A machine's share of a day, as it is typed.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";

const SHARE_MB_MAX = 1_000_000;

/** Bytes a day; 0: any. Throws ERR_USAGE naming `flag` for what is no such number. */
export function parseShare(flag: string, typed: string | undefined, bytesDefault: number): number {
  if (typed === undefined) return bytesDefault;
  const megabytes = /^\d{1,7}$/.test(typed) ? Number(typed) : Number.NaN;
  if (megabytes <= SHARE_MB_MAX) return megabytes * 1_000_000;
  throw new QfError("ERR_USAGE", `${flag} is not a number of megabytes`, {
    hint: `give 1 to ${SHARE_MB_MAX} for each machine and day, or 0 for no limit`,
  });
}
