/**
 * The range of overlay addresses, and narrower ranges that an account may choose within it.
 *
 * @module
 */

/** The range of all peer addresses (RFC 6598). */
export const OVERLAY_RANGE = "100.64.0.0/10";
const OVERLAY_PREFIX_LENGTH = 10;
/** The narrowest range of an account: 254 peers. */
const PREFIX_LENGTH_MAX = 24;

/** Whether peers may get their addresses from `range` (IPv4 CIDR). */
export function isOverlayRange(range: string): boolean {
  const { base, length } = parseRange(range);
  const shift = 32 - OVERLAY_PREFIX_LENGTH;
  const isWithin = base >>> shift === parseRange(OVERLAY_RANGE).base >>> shift;
  return isWithin && length >= OVERLAY_PREFIX_LENGTH && length <= PREFIX_LENGTH_MAX;
}

/** The address of an IPv4 range as a number, and the length of its prefix. */
export function parseRange(range: string): { readonly base: number; readonly length: number } {
  const [address = "", length = ""] = range.split("/");
  const base = address.split(".").reduce((value, part) => value * 256 + Number(part), 0);
  return { base: base >>> 0, length: Number(length) };
}
