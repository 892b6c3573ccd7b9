/**
 * Containment of all processes of one SSH connection, so that revoking it leaves none behind, including those
 * that ignore SIGTERM and SIGHUP or called setsid(2).
 *
 * Uses a version 2 cgroup if possible (`cgroup.kill` ends all at once). Otherwise it finds processes in /proc
 * by what they cannot easily shed: their session, the kernel's audit session, their ancestors, and the
 * connection's random mark in their environment.
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
  /** Variables that each process of the connection must have in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Prepares for a process about to start, because the kernel needs some time. */
  prepare(): void;
  /**
   * Adds a process that has not begun yet and will become `uid`. Rejects if it cannot be contained, or after
   * a kill.
   */
  add(pid: number, uid: number): Promise<void>;
  /** Sends SIGKILL until nothing is left or `timeoutMs` has passed. Resolves with whether all are gone. */
  killAll(timeoutMs: number): Promise<boolean>;
  /** The connection is over. Processes that still run are left alone. */
  release(): void;
}

/** Folder below the cgroup root that holds one folder for each connection. */
export const CGROUP_FOLDER = "qufabric";
const POLL_MS = 10;
/** How soon after a change of cgroup another begun now is quick: 15 ms, less the time until it is made. */
const AWAKE_MS = 5;
/** Sessions remembered for each connection. Processes of older ones are still found by their environment. */
const MARKS_MAX = 256;
/** Delays at which an ended connection's folder is checked for remaining jobs. */
const RETRIES_MS = [0, 50, 500, 5_000];
/** Delay after which a child has certainly become its user and so has its audit session. */
const AUDIT_SESSION_AFTER_MS = 100;

/** A writable cgroup v2 mount's folder for connections. Null: none. Looked up once. */
export function findCgroupRoot(mountsText = readLocalText("/proc/self/mounts")): string | null {
  for (const line of mountsText.split("\n")) {
    const [, path, type] = line.split(" ");
    if (type !== "cgroup2" || path === undefined) continue;
    try {
      mkdirSync(`${path}/${CGROUP_FOLDER}`, { recursive: true });
      // A kernel without cgroup.kill is treated as one without cgroups.
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

/** Whether cgroup v2 is mounted with `cgroup.kill`. Changes nothing. */
export function hasCgroups(mountsText = readLocalText("/proc/self/mounts")): boolean {
  const mount = cgroupMount(mountsText);
  if (mount === undefined || !isWritable(mount)) return false;
  // The root has no cgroup.kill, but each folder below it has one if the kernel supports it.
  return readFolders(mount).some((name) => readFolders(`${mount}/${name}`, "files").includes("cgroup.kill"));
}

/** Number of connections with running processes, from any agent. */
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

/** Contains a connection's processes in a cgroup below `root`. Null: without a cgroup. */
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
      // Even if it never had a process: no folder may be made any more.
      if (isKilled) throw isOver();
      isMade = true;
      await marked.add(pid, uid);
      await enter(path, pid);
      // The process may have been added just after the kill.
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
      // Root can leave a cgroup; its other marks still identify it.
      return (await marked.killAll(Math.max(POLL_MS, until - performance.now()))) && isEmpty;
    },
    release() {
      if (isReleased || !isMade) return;
      isReleased = true;
      void removeWhenEmpty(path, retriesMs);
    },
  };
}

/** Enters the cgroup, making it again if another agent's sweep removed it while it was empty. */
async function enter(path: string, pid: number): Promise<void> {
  for (let tries = 3; ; tries--) {
    try {
      mkdirSync(path, { recursive: true });
      await writeFile(`${path}/cgroup.procs`, String(pid));
      changedMs = performance.now();
      return;
    } catch (cause) {
      if (tries === 1) throw cause;
    }
  }
}

/** The agent's own `cgroup.procs` by mount. Null: it has none there. Looked up once. */
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

let changedMs = Number.NEGATIVE_INFINITY;
let isWaking = false;

/**
 * Moves the agent to the cgroup it is in. The first change of cgroup in a while waits about 10 ms for an RCU
 * grace period; one within the next 15 ms does not.
 */
function wakeCgroups(mount: string): void {
  const file = ownGroup(mount);
  if (file === null || isWaking || performance.now() - changedMs < AWAKE_MS) return;
  isWaking = true;
  void writeFile(file, String(process.pid))
    .catch(() => {})
    .finally(() => {
      [isWaking, changedMs] = [false, performance.now()];
    });
}

/** Removes folders of connections whose last job has ended. The kernel keeps those in use. */
function sweep(root: string): void {
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    try {
      rmdirSync(`${root}/${entry.name}`);
    } catch {
      // A process still runs in it.
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
    // The cgroup is gone, so nothing is left in it.
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

/** Removes a connection's folder. If a job keeps it in use, the end of a later connection removes it. */
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

/** Folders that were still in use when last checked. */
const leftGroups = new Set<string>();
/** Folders checked each time. */
const KEPT_LOOKED_AT = 64;

function removeKept(): void {
  const looked = [...leftGroups.values().take(KEPT_LOOKED_AT)];
  for (const path of looked) {
    leftGroups.delete(path);
    // Move it behind those not checked yet.
    if (!isRemoved(path)) leftGroups.add(path);
  }
}

/** False: a process still runs in it. */
function isRemoved(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "ENOENT";
  }
}
