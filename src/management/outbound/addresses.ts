/**
 * Addresses that management may connect to for an administrator: the public internet, and ranges that the
 * operator lists with `serve --allow-outbound`.
 *
 * @module
 */
import { BlockList, isIP } from "node:net";
import { QfError } from "../../base/errors.ts";

/** Non-public IPv4: private, shared, loopback, link-local, documentation, benchmarks, multicast. */
const REFUSED_V4: readonly (readonly [network: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/** Non-public parts of 2000::/3, the only public IPv6 range: IPv4 tunnels, documentation, protocols. */
const REFUSED_V6: readonly (readonly [network: string, bits: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const refusedV4 = listOf(REFUSED_V4, "ipv4");
const refusedV6 = listOf(REFUSED_V6, "ipv6");
const globalV6 = listOf([["2000::", 3]], "ipv6");

/** Cloud metadata addresses. A range around one does not permit it; it must be listed by itself. */
const METADATA: ReadonlySet<string> = new Set(["169.254.169.254", "100.100.100.200", "fd00:ec2::254"]);

export interface AllowedAddresses {
  /** Whether management may connect to the address. False for text that is not an address. */
  permits(address: string): boolean;
}

/** Throws ERR_USAGE for text that is not an address range. */
export function allowAddresses(ranges: readonly string[]): AllowedAddresses {
  const listed = { ipv4: new BlockList(), ipv6: new BlockList() };
  const single = new Set<string>();
  for (const range of ranges) {
    const parsed = parseRange(range);
    if (parsed === undefined) {
      throw new QfError("ERR_USAGE", `--allow-outbound ${JSON.stringify(range)} is no address range`, {
        hint: "such as 10.1.0.0/16, 192.168.7.9 or fd12::/48",
      });
    }
    const { network, bits, family } = parsed;
    listed[family].addSubnet(network, bits, family);
    if (bits === (family === "ipv4" ? 32 : 128)) single.add(network);
  }
  return {
    permits(text) {
      const address = plainAddress(text);
      const family = familyOf(address);
      if (family === undefined) return false;
      if (METADATA.has(address)) return single.has(address);
      if (listed[family].check(address, family)) return true;
      if (family === "ipv4") return !refusedV4.check(address, family);
      return globalV6.check(address, family) && !refusedV6.check(address, family);
    },
  };
}

function parseRange(text: string): { network: string; bits: number; family: "ipv4" | "ipv6" } | undefined {
  const match = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(text.trim());
  const network = plainAddress(match?.[1] ?? "");
  const family = familyOf(network);
  if (family === undefined) return undefined;
  const most = family === "ipv4" ? 32 : 128;
  const bits = match?.[2] === undefined ? most : Number(match[2]);
  return bits <= most ? { network, bits, family } : undefined;
}

function familyOf(address: string): "ipv4" | "ipv6" | undefined {
  const version = isIP(address);
  return version === 4 ? "ipv4" : version === 6 ? "ipv6" : undefined;
}

/** The address in its shortest spelling. An IPv4-mapped IPv6 address becomes IPv4. */
function plainAddress(text: string): string {
  if (isIP(text) !== 6) return text;
  const address = URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1) ?? "";
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address);
  if (mapped === null) return address;
  const [high, low] = [Number.parseInt(mapped[1] ?? "", 16), Number.parseInt(mapped[2] ?? "", 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

function listOf(
  ranges: readonly (readonly [network: string, bits: number])[],
  family: "ipv4" | "ipv6",
): BlockList {
  const list = new BlockList();
  for (const [network, bits] of ranges) list.addSubnet(network, bits, family);
  return list;
}
