/**
 * Facts that this machine reports about itself. Shown to admins and used by posture checks, never trusted for
 * access.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { hostname, networkInterfaces, release } from "node:os";
import { VERSION } from "../../base/build-info.ts";
import { formatHostPort, parseHostPort } from "../../fabric/host-port.ts";
import type { PeerFacts } from "../../wire/client-api.ts";
import type { HostLabel } from "../../wire/units.ts";

/** Most addresses told to others. */
const ADDRESSES_MAX = 32;

export function machineFacts(name: HostLabel): PeerFacts {
  return {
    hostname: name,
    os: operatingSystem().slice(0, 64),
    kernelVersion: release().slice(0, 128),
    version: VERSION.slice(0, 64),
  };
}

/** The wanted name, else this machine's host name made into a label. */
export function machineName(wanted: HostLabel | null): HostLabel {
  if (wanted !== null) return wanted;
  const label = (hostname().split(".")[0] ?? "")
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .slice(0, 63)
    .replace(/^-+|-+$/g, "");
  return label === "" ? "machine" : label;
}

/**
 * Where others may reach what listens at `listening`: an address as it is, a wildcard as the addresses
 * of this machine's interfaces (loopback last, for peers on this very machine), then `advertise`.
 */
export function directAddresses(listening: readonly string[], advertise: readonly string[]): string[] {
  const found = listening.flatMap((text) => {
    const { host, port } = parseHostPort(text);
    if (host !== "0.0.0.0" && host !== "::") return [text];
    return interfaceAddresses(host === "0.0.0.0").map((address) => formatHostPort(address, port));
  });
  return [...new Set([...advertise, ...found])].slice(0, ADDRESSES_MAX);
}

function interfaceAddresses(isIpv4Only: boolean): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const usable = all.filter(
    ({ family, address }) => (family === "IPv4" || !isIpv4Only) && !address.toLowerCase().startsWith("fe80:"),
  );
  return [...usable.filter((one) => !one.internal), ...usable.filter((one) => one.internal)].map(
    ({ address }) => address,
  );
}

function operatingSystem(): string {
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readTextFile("/etc/os-release"))?.[1] ?? process.platform;
}

/** Empty when it cannot be read. */
function readTextFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
