/**
 * Addresses at which other peers can dial this machine.
 *
 * @module
 */
import { networkInterfaces } from "node:os";
import { formatHostPort, parseHostPort } from "../../fabric/host-port.ts";

/** Most addresses reported to others. */
const ADDRESSES_MAX = 32;

/**
 * Addresses under which others reach the sockets in `listening`. A wildcard becomes the addresses of this
 * machine's interfaces, with loopback last for peers on this machine. `advertise` comes at the end.
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
