/**
 * systemd-resolved, told that a name server of ours answers for one domain.
 *
 * It keeps servers by network interface, so ours gets one of its own, without traffic: what it knows of other
 * interfaces stays, and other names never come to us. All of it goes with the interface.
 *
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { readTool, tryTool } from "../service/run-tool.ts";

/** The address that hosts without one use (RFC 7600): resolved wants some on an interface. */
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
  /** A folder with an entry per interface. */
  readonly interfaces: string;
}

const SYSTEM: ResolverFiles = {
  socket: "/run/systemd/resolve/io.systemd.Resolve",
  resolvConf: "/etc/resolv.conf",
  nsswitch: "/etc/nsswitch.conf",
  interfaces: "/sys/class/net",
};

/**
 * Has resolved ask `names` for the agent of machine `peerId`. False: it does not run, programs do not ask it,
 * or it cannot be told, and nothing has changed.
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

/** Some kernels have no interface without traffic, and the two ends of a pair come close. */
async function addLink(link: string): Promise<boolean> {
  if (await tryTool(["ip", "link", "add", link, "type", "dummy"])) return true;
  const peer = `${link}p`;
  return (
    (await tryTool(["ip", "link", "add", link, "type", "veth", "peer", "name", peer])) &&
    (await tryTool(["ip", "link", "set", peer, "up"]))
  );
}

/** Whether resolved finds `address` by `name`: what it was told may have no effect, or be gone. */
export async function isFound({ name, address }: { readonly name: string; readonly address: string }) {
  const said = await readTool(["resolvectl", "query", "-4", "--legend=no", name], QUERY_MS_MAX);
  return said?.includes(` ${address} `) === true || said?.includes(` ${address}\n`) === true;
}

/** Takes the interface away, also one that a killed agent left. */
export async function forgetResolved(
  peerId: string,
  { interfaces }: Pick<ResolverFiles, "interfaces"> = SYSTEM,
) {
  const link = linkOf(peerId);
  if (existsSync(`${interfaces}/${link}`)) await tryTool(["ip", "link", "delete", link]);
}

/** With the letter of its pair at most 15, which is all that a name may have. */
function linkOf(peerId: string): string {
  return `qf-${peerId.slice(-11)}`;
}

/** Whether programs of this machine that look a name up come to resolved. */
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
