/**
 * Holds every process of one SSH connection together, so that revoking it leaves nothing behind: also
 * what ignores SIGTERM and SIGHUP, and what called setsid(2).
 *
 * A cgroup of version 2 where there is one to be had (`cgroup.kill` ends all at once). Elsewhere the
 * processes are found in /proc by what they cannot easily shed: the session they were started in, the
 * kernel's audit session, their ancestors, and the connection's random mark in their environment.
 *
 * @module
 */
import { accessSync, constants, mkdirSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { CONNECTION_MARK, newConnectionMark } from "./connection-mark.ts";
import { readLocalText } from "./local-text.ts";
import { killMarkedTogether, type Mark, markOf, noteAuditSession } from "./processes.ts";

export interface Containment {
  /** What each process of the connection has to find in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** A process is about to come: begins what the kernel takes its time for. */
  prepare(): void;
  /**
   * Takes in a process that has not yet begun and is to become `uid`. Rejects when it cannot be held, or all
   * was killed.
   */
  add(pid: number, uid: number): Promise<void>;
  /**
   * SIGKILL to everything, until nothing is left or `timeoutMs` has passed. Resolves to whether all is gone.
   */
  killAll(timeoutMs: number): Promise<boolean>;
  /** The connection is over; whatever lives on lives on its own. */
  release(): void;
}

/** Folder of ours below the cgroup root; one folder a connection in it. */
export const CGROUP_FOLDER = "qufabric";
const POLL_MS = 10;
/** Sessions of one connection remembered; what older ones left is still known by its environment. */
const MARKS_MAX = 256;
/** When it is looked whether the last job of a connection that is over has ended. */
const RETRIES_MS = [0, 50, 500, 5_000];
/** When a child has surely become its user, and with that has its audit session. */
const AUDIT_SESSION_AFTER_MS = 100;

/** Where cgroup v2 is mounted and writable for us; null when it is not. Looked up once. */
export function findCgroupRoot(mountsText = readLocalText("/proc/self/mounts")): string | null {
  for (const line of mountsText.split("\n")) {
    const [, path, type] = line.split(" ");
    if (type !== "cgroup2" || path === undefined) continue;
    try {
      mkdirSync(`${path}/${CGROUP_FOLDER}`, { recursive: true });
      // An older kernel without cgroup.kill is treated as one without cgroups.
      const probe = `${path}/${CGROUP_FOLDER}/probe-${process.pid}`;
      mkdirSync(probe, { recursive: true });
      const canKill = readLocalText(`${probe}/cgroup.events`) !== "" && hasKill(probe);
      rmdirSync(probe);
      if (canKill) sweep(`${path}/${CGROUP_FOLDER}`);
      return canKill ? `${path}/${CGROUP_FOLDER}` : null;
    } catch {
      return null;
    }
  }
  return null;
}

/** Whether cgroup v2 is mounted with `cgroup.kill`, looked at without changing anything. */
export function hasCgroups(mountsText = readLocalText("/proc/self/mounts")): boolean {
  const mount = cgroupMount(mountsText);
  if (mount === undefined || !isWritable(mount)) return false;
  // The root itself has no cgroup.kill; any folder below it has, on a kernel that knows it.
  return readFolders(mount).some((name) => readFolders(`${mount}/${name}`, "files").includes("cgroup.kill"));
}

/** Connections of which something still runs, whatever agent they were of. */
export function connectionFolders(mountsText = readLocalText("/proc/self/mounts")): number {
  const mount = cgroupMount(mountsText);
  if (mount === undefined) return 0;
  return readFolders(`${mount}/${CGROUP_FOLDER}`).filter((name) =>
    isPopulated(`${mount}/${CGROUP_FOLDER}/${name}`),
  ).length;
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function cgroupMount(mountsText: string): string | undefined {
  return mountsText
    .split("\n")
    .map((line) => line.split(" "))
    .find(([, , type]) => type === "cgroup2")?.[1];
}

function readFolders(path: string, what: "folders" | "files" = "folders"): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory() === (what === "folders")).map(({ name }) => name);
  } catch {
    return [];
  }
}

/** A connection's processes in a cgroup below `root`, or without one when `root` is null. */
export function createContainment(
  root: string | null,
  id: string,
  retriesMs: readonly number[] = RETRIES_MS,
): Containment {
  return root === null ? createMarked() : createCgroup(`${root}/${id}`, retriesMs);
}

function createCgroup(path: string, retriesMs: readonly number[]): Containment {
  const marked = createMarked();
  let isMade = false;
  let isReleased = false;
  let isKilled = false;
  return {
    environment: marked.environment,
    prepare: () => wakeCgroups(dirname(dirname(path))),
    async add(pid, uid) {
      // Also of a connection that never had a process, which then makes no folder any more.
      if (isKilled) throw isOver();
      isMade = true;
      await marked.add(pid, uid);
      await enter(path, pid);
      // It may have come in behind the kill.
      if (isKilled) throw isOver();
    },
    async killAll(timeoutMs) {
      isKilled = true;
      if (!isMade) return true;
      const until = performance.now() + timeoutMs;
      do {
        kill(path);
        if (!isPopulated(path)) break;
        await Bun.sleep(POLL_MS);
      } while (performance.now() < until);
      const isEmpty = !isPopulated(path);
      // Root can leave a cgroup; what it left with is still known by its other marks.
      return (await marked.killAll(Math.max(POLL_MS, until - performance.now()))) && isEmpty;
    },
    release() {
      if (isReleased || !isMade) return;
      isReleased = true;
      void removeWhenEmpty(path, retriesMs);
    },
  };
}

/** Another agent's sweep may take a folder that is still empty; then it is made again. */
async function enter(path: string, pid: number): Promise<void> {
  for (let tries = 3; ; tries--) {
    try {
      mkdirSync(path, { recursive: true });
      await writeFile(`${path}/cgroup.procs`, String(pid));
      return;
    } catch (cause) {
      if (tries === 1) throw cause;
    }
  }
}

/** Own file of processes below a mount; null where there is none of ours. Looked up once. */
const ownGroups = new Map<string, string | null>();

function ownGroup(mount: string): string | null {
  const known = ownGroups.get(mount);
  if (known !== undefined) return known;
  const path = /^0::(.*)$/m.exec(readLocalText("/proc/self/cgroup"))?.[1] ?? "";
  const file = `${mount}${path}/cgroup.procs`;
  const found = readLocalText(file).split("\n").includes(String(process.pid)) ? file : null;
  ownGroups.set(mount, found);
  return found;
}

/**
 * The first process in a while that changes its cgroup waits about 10 ms, till no processor is where it
 * was (an RCU grace period); one soon after it does not. So we move to where we already are.
 */
function wakeCgroups(mount: string): void {
  const file = ownGroup(mount);
  if (file !== null) void writeFile(file, String(process.pid)).catch(() => {});
}

/** Folders of connections whose last job has ended since; the kernel keeps those that are in use. */
function sweep(root: string): void {
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    try {
      rmdirSync(`${root}/${entry.name}`);
    } catch {
      // Somebody still runs in it.
    }
  }
}

const isOver = (): Error => new Error("the connection is over");

function createMarked(): Containment {
  const connectionMark = newConnectionMark();
  const marks: Mark[] = [];
  let isKilled = false;
  return {
    environment: { [CONNECTION_MARK]: connectionMark },
    prepare() {},
    async add(pid, uid) {
      if (isKilled) throw isOver();
      const mark = markOf({ pid, uid, connectionMark });
      marks.push(mark);
      if (marks.length > MARKS_MAX) marks.shift();
      setTimeout(() => noteAuditSession(mark), AUDIT_SESSION_AFTER_MS).unref();
    },
    async killAll(timeoutMs) {
      isKilled = true;
      if (marks.length === 0) return true;
      const until = performance.now() + timeoutMs;
      for (const mark of marks) noteAuditSession(mark);
      for (;;) {
        if ((await killMarkedTogether(marks)) === 0) return true;
        if (performance.now() >= until) return false;
        await Bun.sleep(POLL_MS);
      }
    },
    release() {},
  };
}

function kill(path: string): void {
  try {
    writeFileSync(`${path}/cgroup.kill`, "1");
  } catch {
    // It is gone, and so is what was in it.
  }
}

function isPopulated(path: string): boolean {
  return readLocalText(`${path}/cgroup.events`).includes("populated 1");
}

function hasKill(path: string): boolean {
  try {
    writeFileSync(`${path}/cgroup.kill`, "1");
    return true;
  } catch {
    return false;
  }
}

/** Jobs that outlive their connection keep its folder for as long as they run: then others' ends take it. */
async function removeWhenEmpty(path: string, retriesMs: readonly number[]): Promise<void> {
  removeKept();
  for (const waitMs of retriesMs) {
    if (waitMs > 0) await Bun.sleep(waitMs);
    if (isRemoved(path)) {
      leftGroups.delete(path);
      return;
    }
    leftGroups.add(path);
  }
}

/** Folders in which something ran at the last look. */
const leftGroups = new Set<string>();
/** How many of them are looked at each time. */
const KEPT_LOOKED_AT = 64;

function removeKept(): void {
  const looked = [...leftGroups.values().take(KEPT_LOOKED_AT)];
  for (const path of looked) {
    leftGroups.delete(path);
    // Behind those that were not looked at.
    if (!isRemoved(path)) leftGroups.add(path);
  }
}

/** False: something still runs in it. */
function isRemoved(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "ENOENT";
  }
}
