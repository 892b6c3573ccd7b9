/**
 * A machine's daily share, as typed on the command line.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";

const SHARE_MB_MAX = 1_000_000;

/** Bytes per day. 0: no limit. Throws ERR_USAGE naming `flag` when `typed` is not such a number. */
export function parseShare(flag: string, typed: string | undefined, bytesDefault: number): number {
  if (typed === undefined) return bytesDefault;
  const megabytes = /^\d{1,7}$/.test(typed) ? Number(typed) : Number.NaN;
  if (megabytes <= SHARE_MB_MAX) return megabytes * 1_000_000;
  throw new QfError("ERR_USAGE", `${flag} is not a number of megabytes`, {
    hint: `give 1 to ${SHARE_MB_MAX} for each machine and day, or 0 for no limit`,
  });
}
