/**
 * Keys under which requests from an address are counted: an IPv4 address as it is, an IPv6 address as its
 * /64, since the holder of one address of a /64 has them all. Where strangers are bounded, the /56 and /48
 * around it are counted too: some providers assign that much to one customer.
 *
 * @module
 */
import { canonicalAddress, groupsOf } from "./ip-address.ts";

/** The key of `address`: an IPv4 address, or an IPv6 /64. Text that is no address is its own key. */
export function sourceKey(address: string): string {
  return sourceNetworks(address).at(-1) ?? address;
}

/** The networks that `address` counts for, widest first: /48, /56, /64; of IPv4 the address alone. */
export function sourceNetworks(address: string): readonly string[] {
  const canonical = canonicalAddress(address);
  if (canonical === undefined || !canonical.includes(":")) return [canonical ?? address];
  const [a = 0, b = 0, c = 0, d = 0] = groupsOf(canonical);
  const written = (groups: readonly number[], bits: number): string =>
    `${groups.map((group) => group.toString(16)).join(":")}::/${bits}`;
  return [written([a, b, c], 48), written([a, b, c, d & 0xff00], 56), written([a, b, c, d], 64)];
}

/** Each wider network of `sourceNetworks` may take so many times what the narrower one may. */
const WIDER_SHARE = 2;

/** The bound on each of `networks` (widest first) where `max` is the bound on the narrowest. */
export function boundsOf(networks: readonly string[], max: number): readonly number[] {
  return networks.map((_, i) => max * WIDER_SHARE ** (networks.length - 1 - i));
}
