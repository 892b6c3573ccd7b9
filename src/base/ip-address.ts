/**
 * Canonical IP addresses, the form in which they are compared, counted and shown.
 *
 * @module
 */
import { isIP } from "node:net";

/**
 * `text` in canonical form: IPv6 in lower case and compressed, IPv4-mapped IPv6 as IPv4, no zone. Undefined
 * when it is not an address.
 */
export function canonicalAddress(text: string): string | undefined {
  const plain = text.replace(/%.*$/, "");
  const version = isIP(plain);
  if (version === 0) return undefined;
  if (version === 4) return plain;
  const v6 = new URL(`http://[${plain}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(v6);
  if (mapped === null) return v6;
  const [high, low] = [mapped[1], mapped[2]].map((group) => Number.parseInt(group ?? "", 16)) as [
    number,
    number,
  ];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** The eight groups of a canonical IPv6 address as numbers. */
export function groupsOf(v6: string): number[] {
  const [head = "", tail] = v6.split("::", 2);
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const missing = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...new Array<string>(missing).fill("0"), ...after];
  return groups.map((group) => Number.parseInt(group, 16));
}
