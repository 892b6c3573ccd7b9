/**
 * Keys for counting requests by source address: an IPv4 address itself, or an IPv6 address's /64, since the
 * holder of one address in a /64 has them all. Limits on strangers also count the /56 and /48 around it,
 * which some providers assign to one customer.
 *
 * @module
 */
import { canonicalAddress, groupsOf } from "./ip-address.ts";

/** The key of `address`: an IPv4 address, or an IPv6 /64. Text that is not an address is its own key. */
export function sourceKey(address: string): string {
  return sourceNetworks(address).at(-1) ?? address;
}

/** The networks that `address` counts towards, widest first: /48, /56, /64. For IPv4, the address alone. */
export function sourceNetworks(address: string): readonly string[] {
  const canonical = canonicalAddress(address);
  if (canonical === undefined || !canonical.includes(":")) return [canonical ?? address];
  const [a = 0, b = 0, c = 0, d = 0] = groupsOf(canonical);
  const written = (groups: readonly number[], bits: number): string =>
    `${groups.map((group) => group.toString(16)).join(":")}::/${bits}`;
  return [written([a, b, c], 48), written([a, b, c, d & 0xff00], 56), written([a, b, c, d], 64)];
}

/** Each wider network of `sourceNetworks` may take this many times the bound of the narrower one. */
const WIDER_SHARE = 2;

/** The bound of each of `networks` (widest first), given the bound `max` of the narrowest. */
export function boundsOf(networks: readonly string[], max: number): readonly number[] {
  return networks.map((_, i) => max * WIDER_SHARE ** (networks.length - 1 - i));
}
