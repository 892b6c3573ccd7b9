/**
 * Peer names in /etc/hosts, between two marker lines, so that all programs of this machine and
 * systemd-resolved find them.
 *
 * Only the lines between the markers are ours. The file is replaced atomically with its mode kept, by one
 * agent at a time. Several agents may run here, each with lines of its own.
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
  /** Locked while writing. Root's alone, because anyone can lock what they can read, such as the folder. */
  readonly lock: string;
}

const SYSTEM: HostsFile = { path: "/etc/hosts", lock: "/run/qufabric-hosts.lock" };
/** Marks a new file that has not yet replaced the old one. */
const BESIDE = ".qufabric-";
/** Longest wait for another agent that is writing. */
const LOCK_MS_MAX = 5_000;
const LOCK_POLL_MS = 20;
/** The id tells several agents on this machine apart. */
const beginOf = (peerId: string) => `# BEGIN qufabric ${peerId}: written by qf agent up --resolver`;
const endOf = (peerId: string) => `# END qufabric ${peerId}`;

export interface HostNames {
  readonly address: string;
  readonly names: readonly string[];
}

/**
 * Replaces the lines of machine `peerId`'s agent by `hosts`. Empty: removes the markers too. Throws
 * ERR_UNAVAILABLE if another agent holds the lock too long, and file system errors.
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
    // If the system had no hosts file, remove the one we made.
    if (after === "" && before !== "") await unlink(path).catch(() => writeFile(path, ""));
    else if (after !== before) await replaceText(path, after);
  } finally {
    await held.close();
  }
}

/** Empty: the file does not exist. */
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

/** Removes files of agents killed while writing. While we hold the lock, no agent writes. */
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
    // A file that is a mount point, as in containers, can only be written in place.
    await writeFile(path, text);
  }
}

/** Replaces our lines in a hosts file's `text`. The rest stays byte for byte. */
export function withHostNames(text: string, peerId: string, hosts: readonly HostNames[]): string {
  const lines = text.split("\n");
  const begin = lines.indexOf(beginOf(peerId));
  const end = lines.indexOf(endOf(peerId), begin + 1);
  // If a marker is missing, we cannot tell which lines are ours, so none is removed.
  const kept = begin === -1 || end === -1 ? lines : lines.toSpliced(begin, end - begin + 1);
  if (hosts.length === 0) return kept.join("\n");
  const entries = hosts.map(({ address, names }) => `${address} ${names.join(" ")}`);
  const ours = [beginOf(peerId), ...entries, endOf(peerId)];
  const at = begin === -1 || end === -1 ? (kept.at(-1) === "" ? kept.length - 1 : kept.length) : begin;
  return kept.toSpliced(at, 0, ...ours).join("\n");
}

/** Whether this machine's agent left its lines in the file. */
export function hasHostNames(peerId: string, path = SYSTEM.path): boolean {
  try {
    return readFileSync(path, "utf8").includes(beginOf(peerId));
  } catch {
    return false;
  }
}
