/**
 * Names of peers in /etc/hosts, between two marks, so that every program of this machine and systemd-resolved
 * find them.
 *
 * Only what stands between the marks is ours. The file is replaced at once, with its mode, by one agent at a
 * time: several may run here, each with lines of its own.
 *
 * @module
 */
import { constants, readFileSync } from "node:fs";
import { type FileHandle, open, readdir, readFile, rename, stat, unlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { QfError } from "../../base/errors.ts";
import { tryLock } from "../../base/file-lock.ts";
import { newId } from "../../base/random.ts";

export interface HostsFile {
  readonly path: string;
  /** Locked while it is written, and root's alone: anyone may lock what he may read, such as its folder. */
  readonly lock: string;
}

const SYSTEM: HostsFile = { path: "/etc/hosts", lock: "/run/qufabric-hosts.lock" };
/** What a new file is called before it takes the place of the old one. */
const BESIDE = ".qufabric-";
/** Longest that another agent is waited for, which writes its lines. */
const LOCK_MS_MAX = 5_000;
const LOCK_POLL_MS = 20;
/** With the machine's id, since several agents may run here. */
const beginOf = (peerId: string) => `# BEGIN qufabric ${peerId}: written by qf agent up --resolver`;
const endOf = (peerId: string) => `# END qufabric ${peerId}`;

export interface HostNames {
  readonly address: string;
  readonly names: readonly string[];
}

/**
 * Replaces the lines of the agent of machine `peerId` by `hosts`; none: takes the marks away too. Throws
 * ERR_UNAVAILABLE where another agent holds the file for long, and what the file system does.
 */
export async function writeHostNames(
  peerId: string,
  hosts: readonly HostNames[],
  { path, lock }: HostsFile = SYSTEM,
): Promise<void> {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  const held = await open(lock, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  try {
    await waitFor(held);
    await removeLeft(path);
    const before = await textOf(path);
    const after = withHostNames(before, peerId, hosts);
    // A system without one gets it from us, and is without it afterwards.
    if (after === "" && before !== "") await unlink(path).catch(() => writeFile(path, ""));
    else if (after !== before) await replaceText(path, after);
  } finally {
    await held.close();
  }
}

/** Empty: there is none. */
async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

async function waitFor(held: FileHandle): Promise<void> {
  for (let waitedMs = 0; !tryLock(held.fd); waitedMs += LOCK_POLL_MS) {
    if (waitedMs >= LOCK_MS_MAX) {
      throw new QfError("ERR_UNAVAILABLE", "the hosts file is held by another process");
    }
    await Bun.sleep(LOCK_POLL_MS);
  }
}

/** Files of agents that were killed while they wrote: with the lock held nobody writes now. */
async function removeLeft(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    if (name.startsWith(`${basename(path)}${BESIDE}`)) await unlink(join(dirname(path), name));
  }
}

async function replaceText(path: string, text: string): Promise<void> {
  const mode = await stat(path).then(
    (found) => found.mode & 0o777,
    () => 0o644,
  );
  const beside = `${path}${BESIDE}${newId()}`;
  try {
    const file = await open(beside, "wx", mode);
    try {
      await file.chmod(mode);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch {
    await unlink(beside).catch(() => {});
    // A file that is a mount of its own, as in containers, is only written in place.
    await writeFile(path, text);
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
export function hasHostNames(peerId: string, path = SYSTEM.path): boolean {
  try {
    return readFileSync(path, "utf8").includes(beginOf(peerId));
  } catch {
    return false;
  }
}
