/**
 * Host names that can be peers, parsed strictly from what ssh(1) passes.
 *
 * It does not use zod, because `qf proxy match` runs before every connection. A test compares these patterns
 * with the schemas of `wire/units.ts`.
 *
 * @module
 */

/** Longest DNS name. */
const NAME_LENGTH_MAX = 253;
const DNS_NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
const OVERLAY_ADDRESS =
  /^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])(?:\.(?:0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])){2}$/;

/** Whether `name` is lower-case labels with dots and nothing else. */
export function isDnsName(name: string): boolean {
  return name.length <= NAME_LENGTH_MAX && DNS_NAME.test(name);
}

/** Whether `name` is an address in 100.64.0.0/10 in canonical form. */
export function isOverlayAddress(name: string): boolean {
  return OVERLAY_ADDRESS.test(name);
}

/** Whether `name` (lower case) is an overlay address or has one of `domains` as its parent. */
export function isPeerName(name: string, domains: readonly string[]): boolean {
  if (isOverlayAddress(name)) return true;
  return isDnsName(name) && domains.some((domain) => isDnsName(domain) && name.endsWith(`.${domain}`));
}

/** Whether it is one label, without a domain. */
export function isShortName(name: string): boolean {
  return isDnsName(name) && !name.includes(".");
}

/**
 * The name that ssh(1) dials, in lower case. Undefined for anything but a name or an overlay address: other
 * addresses, words with shell or path syntax, options.
 */
export function parseDialledName(host: string): string | undefined {
  if (host.length > NAME_LENGTH_MAX || !/^[A-Za-z0-9.-]+$/.test(host)) return undefined;
  const name = host.toLowerCase();
  if (/^[0-9.]+$/.test(name)) return isOverlayAddress(name) ? name : undefined;
  return isDnsName(name) ? name : undefined;
}
