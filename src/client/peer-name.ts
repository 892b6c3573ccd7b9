/**
 * Host names that can be peers: the strict reading of what ssh(1) hands us.
 *
 * No zod here, since `qf proxy match` runs before every connection; a test holds these patterns against the
 * schemas of `wire/units.ts`.
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

/** Whether `name` is in 100.64.0.0/10, written the one usual way. */
export function isOverlayAddress(name: string): boolean {
  return OVERLAY_ADDRESS.test(name);
}

/** Whether `name` (lower case) is an overlay address or has one of `domains` as its parent. */
export function isPeerName(name: string, domains: readonly string[]): boolean {
  if (isOverlayAddress(name)) return true;
  return isDnsName(name) && domains.some((domain) => isDnsName(domain) && name.endsWith(`.${domain}`));
}

/** One label: a name that says nothing of a domain. */
export function isShortName(name: string): boolean {
  return isDnsName(name) && !name.includes(".");
}

/**
 * The name that ssh(1) dials, in lower case. Undefined for whatever could be anything but a name or an
 * overlay address: an address of another network, a word with shell or path syntax, an option.
 */
export function parseDialledName(host: string): string | undefined {
  if (host.length > NAME_LENGTH_MAX || !/^[A-Za-z0-9.-]+$/.test(host)) return undefined;
  const name = host.toLowerCase();
  if (/^[0-9.]+$/.test(name)) return isOverlayAddress(name) ? name : undefined;
  return isDnsName(name) ? name : undefined;
}
