/**
 * Configuration of systemd-resolved, so that a name server of ours answers for one domain.
 *
 * resolved keeps servers by network interface, so ours gets a dummy interface. The settings of other
 * interfaces are untouched, and other names never reach us. Everything disappears with the interface.
 *
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { readTool, tryTool } from "../service/run-tool.ts";

/** resolved needs an address on the interface. This is the dummy address of RFC 7600. */
const ADDRESS = "192.0.0.8/32";

const STEP_MS_MAX = 3_000;
const QUERY_MS_MAX = 5_000;

export interface NamesAt {
  readonly address: string;
  readonly port: number;
  readonly domain: string;
}

/** Files that say whether programs ask resolved. For tests. */
export interface ResolverFiles {
  readonly socket: string;
  readonly resolvConf: string;
  readonly nsswitch: string;
  /** A folder with one entry for each interface. */
  readonly interfaces: string;
}

const SYSTEM: ResolverFiles = {
  socket: "/run/systemd/resolve/io.systemd.Resolve",
  resolvConf: "/etc/resolv.conf",
  nsswitch: "/etc/nsswitch.conf",
  interfaces: "/sys/class/net",
};

/**
 * Makes resolved use `names` for machine `peerId`'s agent. False: resolved does not run, programs do not use
 * it, or the configuration failed; nothing has changed.
 */
export async function tellResolved(peerId: string, names: NamesAt, files = SYSTEM): Promise<boolean> {
  if (!isAsked(files)) return false;
  const link = linkOf(peerId);
  await forgetResolved(peerId, files);
  const server = names.port === 53 ? names.address : `${names.address}:${names.port}`;
  if (!(await addLink(link))) return false;
  const steps = [
    ["ip", "address", "add", ADDRESS, "dev", link],
    ["ip", "link", "set", link, "up"],
    ["resolvectl", "llmnr", link, "no"],
    ["resolvectl", "mdns", link, "no"],
    ["resolvectl", "dnssec", link, "no"],
    ["resolvectl", "dnsovertls", link, "no"],
    ["resolvectl", "default-route", link, "no"],
    ["resolvectl", "domain", link, `~${names.domain}`],
    ["resolvectl", "dns", link, server],
  ];
  for (const step of steps) {
    if ((await readTool(step, STEP_MS_MAX)) !== null) continue;
    await forgetResolved(peerId, files);
    return false;
  }
  return true;
}

/** Some kernels have no dummy interface; a veth pair comes close. */
async function addLink(link: string): Promise<boolean> {
  if (await tryTool(["ip", "link", "add", link, "type", "dummy"])) return true;
  const peer = `${link}p`;
  return (
    (await tryTool(["ip", "link", "add", link, "type", "veth", "peer", "name", peer])) &&
    (await tryTool(["ip", "link", "set", peer, "up"]))
  );
}

/** Whether resolved finds `address` for `name`. Its configuration may be ineffective or gone. */
export async function isFound({ name, address }: { readonly name: string; readonly address: string }) {
  const said = await readTool(["resolvectl", "query", "-4", "--legend=no", name], QUERY_MS_MAX);
  return said?.includes(` ${address} `) === true || said?.includes(` ${address}\n`) === true;
}

/** Removes the interface, including one left by a killed agent. */
export async function forgetResolved(
  peerId: string,
  { interfaces }: Pick<ResolverFiles, "interfaces"> = SYSTEM,
) {
  const link = linkOf(peerId);
  if (existsSync(`${interfaces}/${link}`)) await tryTool(["ip", "link", "delete", link]);
}

/** With the letter of its pair it has 15 characters, the maximum for an interface name. */
function linkOf(peerId: string): string {
  return `qf-${peerId.slice(-11)}`;
}

/** Whether name look-ups on this machine go to resolved. */
function isAsked({ socket, resolvConf, nsswitch }: ResolverFiles): boolean {
  if (!existsSync(socket)) return false;
  const isStub = /^nameserver\s+127\.0\.0\.5[34]\s*$/m.test(textOf(resolvConf));
  return isStub || /^hosts:.*\bresolve\b/m.test(textOf(nsswitch));
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
