/**
 * Names of peers in /etc/hosts, between two marks, so that every program of this machine and systemd-resolved
 * find them.
 *
 * Only what stands between the marks is ours. The file is replaced at once, with its mode.
 *
 * @module
 */
import { chmodSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";

const PATH = "/etc/hosts";
/** With the machine's id, since several agents may run here. */
const beginOf = (peerId: string) => `# BEGIN qufabric ${peerId}: written by qf agent up --resolver`;
const endOf = (peerId: string) => `# END qufabric ${peerId}`;

export interface HostNames {
  readonly address: string;
  readonly names: readonly string[];
}

/**
 * Replaces the lines of the agent of machine `peerId` by `hosts`; none: takes the marks away too. Throws what
 * the file system does.
 */
export function writeHostNames(peerId: string, hosts: readonly HostNames[], path = PATH): void {
  const before = readFileSync(path, "utf8");
  const after = withHostNames(before, peerId, hosts);
  if (after === before) return;
  const mode = statSync(path).mode & 0o777;
  const beside = `${path}.qufabric`;
  try {
    writeFileSync(beside, after, { mode });
    chmodSync(beside, mode);
    renameSync(beside, path);
  } catch {
    // A file that is a mount of its own, as in containers, is only written in place.
    writeFileSync(path, after);
  }
}

/** `text` of a hosts file with our lines replaced. What stood around them stays, byte for byte. */
export function withHostNames(text: string, peerId: string, hosts: readonly HostNames[]): string {
  const lines = text.split("\n");
  const begin = lines.indexOf(beginOf(peerId));
  const end = lines.indexOf(endOf(peerId), begin + 1);
  // With one mark missing it is unknown which lines are ours, so none is removed.
  const kept = begin === -1 || end === -1 ? lines : lines.toSpliced(begin, end - begin + 1);
  if (hosts.length === 0) return kept.join("\n");
  const entries = hosts.map(({ address, names }) => `${address} ${names.join(" ")}`);
  const ours = [beginOf(peerId), ...entries, endOf(peerId)];
  const at = begin === -1 || end === -1 ? (kept.at(-1) === "" ? kept.length - 1 : kept.length) : begin;
  return kept.toSpliced(at, 0, ...ours).join("\n");
}

/** Whether an agent of this machine has left its lines there. */
export function hasHostNames(peerId: string, path = PATH): boolean {
  try {
    return readFileSync(path, "utf8").includes(beginOf(peerId));
  } catch {
    return false;
  }
}
