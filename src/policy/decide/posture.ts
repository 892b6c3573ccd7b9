/**
 * Posture checks: whether a peer's reported facts meet an admin's conditions.
 *
 * Reported facts are not proof: a check keeps out old software, not liars. A condition on a fact that the
 * peer does not report is not met.
 *
 * @module
 */
import type { PostureChecks } from "../../wire/posture.ts";

/** What a peer reports about itself, and the address that management sees. */
export interface PostureFacts {
  /** Name of its system, as reported: `Debian GNU/Linux 12`, `macOS 15.1`. */
  readonly os: string;
  readonly kernelVersion: string;
  /** Version of qf. */
  readonly version: string;
  /** Address from which it reaches management. */
  readonly connectionIp: string;
}

/** Whether every given check is met. True without checks. */
export function passesPosture(checks: PostureChecks, facts: PostureFacts): boolean {
  const { nb_version_check: version, os_version_check: os, peer_network_range_check: network } = checks;
  if (version !== undefined && !isAtLeast(facts.version, version.min_version)) return false;
  if (os !== undefined && !passesSystem(os, facts)) return false;
  if (network === undefined) return true;
  const isInside = network.ranges.some((range) => isInRange(facts.connectionIp, range));
  const isKnown = parseAddress(facts.connectionIp) !== null;
  return isKnown && (network.action === "allow" ? isInside : !isInside);
}

function passesSystem(check: NonNullable<PostureChecks["os_version_check"]>, facts: PostureFacts): boolean {
  const name = facts.os.toLowerCase();
  if (name.includes("darwin") || name.includes("macos")) {
    return check.darwin !== undefined && isAtLeast(firstVersion(facts.os), check.darwin.min_version);
  }
  if (name.includes("windows")) {
    return check.windows !== undefined && isAtLeast(facts.kernelVersion, check.windows.min_kernel_version);
  }
  // Linux distributions report their own names, so anything else is Linux.
  return check.linux !== undefined && isAtLeast(facts.kernelVersion, check.linux.min_kernel_version);
}

/** Whether version `actual` is `wanted` or later, by its leading dotted numbers. False when it has none. */
export function isAtLeast(actual: string, wanted: string): boolean {
  const have = numbersOf(actual);
  const want = numbersOf(wanted);
  if (have.length === 0) return false;
  for (let i = 0; i < Math.max(have.length, want.length); i++) {
    const difference = (have[i] ?? 0) - (want[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function numbersOf(version: string): number[] {
  return (/^v?(\d{1,9}(?:\.\d{1,9})*)/.exec(version)?.[1]?.split(".") ?? []).map(Number);
}

function firstVersion(text: string): string {
  return /\d[\d.]*/.exec(text)?.[0] ?? "";
}

/** Whether `address` is in `range` (CIDR). An IPv4 address in its IPv6 form counts as IPv4. */
export function isInRange(address: string, range: string): boolean {
  const slash = range.lastIndexOf("/");
  const network = parseAddress(range.slice(0, slash));
  const candidate = parseAddress(address);
  if (network === null || candidate === null || network.bits !== candidate.bits) return false;
  const shift = BigInt(network.bits - Number(range.slice(slash + 1)));
  return network.value >> shift === candidate.value >> shift;
}

function parseAddress(text: string): { value: bigint; bits: 32 | 128 } | null {
  const mapped = text.toLowerCase().startsWith("::ffff:") && text.includes(".") ? text.slice(7) : text;
  if (mapped.includes(":")) return parseIpv6(mapped);
  const parts = mapped.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return null;
  return { value: parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n), bits: 32 };
}

function parseIpv6(text: string): { value: bigint; bits: 128 } | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [left = [], right = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - left.length - right.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...left, ...new Array<string>(missing).fill("0"), ...right];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  return { value: groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n), bits: 128 };
}
