/**
 * The privileged child of this executable: reads its spec, becomes the user for good, then serves or
 * executes. Most programs are started by the session helper (`../session-helper/become.c`), which does the
 * same.
 *
 * The order matters: signal defaults, terminal, groups, gid, uid, a check that root cannot be regained, and
 * only then the user's folder and program. Few modules are imported, because the start is part of every
 * session. Any failure ends the child before any code of the user's runs.
 *
 * @module
 */
import { closeSync, existsSync, readSync, writeFileSync, writeSync } from "node:fs";
import {
  CHILD_FAILED_STATUS,
  type ChildSpec,
  parseChildSpec,
  SPEC_BYTES_MAX,
  SPEC_FD,
} from "./child-spec.ts";
import { initGroups, resetSignals, residentIds, setGroups, takeControllingTerminal } from "./libc.ts";
import { MEMORY_RESOURCES, makeRoomFor, type ResourceLimit, setLimits } from "./resource-limits.ts";

/** Usual buffer. Most specs fit; one for the longest spec would have to be cleared at each start. */
const SPEC_BYTES_USUAL = 16 * 1024;

/** Node functions that exist on Linux. A missing one throws when called, which is the right outcome. */
const own = process as unknown as {
  setgid(id: number): void;
  setuid(id: number): void;
  execve(file: string, argv: readonly string[], env: Readonly<Record<string, string>>): never;
};

/** On success it does not return, because the process has become the user's program. Else an exit status. */
export async function runChild(): Promise<number> {
  try {
    const text = readSpec();
    // The agent gave up or is gone.
    if (text === "") return CHILD_FAILED_STATUS;
    const spec = parseChildSpec(text);
    if (spec.isMonitor === true) return await (await import("./monitor-child.ts")).runMonitor();
    if (spec.isForwardHelper === true) {
      takeIds(spec);
      return await (await import("./forward-helper-child.ts")).runForwardHelper();
    }
    if (spec.sftp !== undefined) {
      // Signals stay as they are. A closed pipe or a file size limit is then an error, after which the server
      // still closes and reports its files.
      takeIds(spec);
      enterHome(spec.home);
      setLimits(limitsOf(spec).filter(({ resource }) => !MEMORY_RESOURCES.includes(resource)));
      return await serveSftp(spec.sftp);
    }
    become(spec);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : "unknown";
    writeSync(2, `qf: error: the session could not be started: ${message}\n`);
  }
  return CHILD_FAILED_STATUS;
}

/** Stderr carries audit records to the agent, and its answers back. */
async function serveSftp(mode: "write" | "read"): Promise<number> {
  const [{ runSftpServer }, { SftpAuditWriter }] = await Promise.all([
    import("../sftp/server.ts"),
    import("../sftp/sftp-audit-writer.ts"),
  ]);
  const audit = new SftpAuditWriter(2);
  const { onOperation, beforeWait, beforeWrite } = audit;
  try {
    return runSftpServer({ mode, onOperation, beforeWait, beforeWrite });
  } finally {
    audit.end();
  }
}

function become(spec: ChildSpec): void {
  resetSignals();
  if (spec.tty) takeControllingTerminal(0);
  takeIds(spec);
  enterHome(spec.home);
  if (spec.greeting !== undefined && spec.greeting !== "" && !existsSync(`${spec.home}/.hushlogin`)) {
    writeSync(1, spec.greeting);
  }
  // Last, because this runtime might not survive within the limits.
  setLimits(limitsOf(spec));
  own.execve(spec.file, [...spec.argv], { ...spec.env });
}

function takeIds(spec: ChildSpec): void {
  if (spec.drop) dropTo(spec);
  verifyDropped(spec);
  process.umask(spec.umask ?? 0o022);
}

function dropTo(spec: ChildSpec): void {
  setLoginId(spec.uid);
  if (spec.groups === undefined) initGroups(spec.user, spec.gid);
  else setGroups(spec.groups);
  makeRoomFor(limitsOf(spec));
  own.setgid(spec.gid);
  own.setuid(spec.uid);
}

/**
 * Sets the login uid, as pam_loginuid does. The kernel then gives the session an audit id that no descendant
 * can shed. Some kernels and containers do not allow it.
 */
function setLoginId(uid: number): void {
  try {
    writeFileSync("/proc/self/loginuid", String(uid));
  } catch {
    // The session is then found by its other marks.
  }
}

/** Checks the real, effective and saved user and group ids, and that root cannot be regained. */
function verifyDropped(spec: ChildSpec): void {
  const users = residentIds("user");
  const groups = residentIds("group");
  if (users.some((id) => id !== spec.uid) || groups.some((id) => id !== spec.gid)) {
    throw new Error("the ids of the user were not taken");
  }
  if (spec.uid !== 0 && canBecomeRoot()) throw new Error("root is still within reach");
}

function canBecomeRoot(): boolean {
  try {
    own.setuid(0);
    return true;
  } catch {
    return false;
  }
}

function limitsOf({ limits }: ChildSpec): ResourceLimit[] {
  return (limits ?? []).map(([resource, soft, hard]) => ({
    resource,
    soft: BigInt(soft),
    hard: BigInt(hard),
  }));
}

function enterHome(home: string): void {
  try {
    process.chdir(home);
  } catch (cause) {
    // sshd's wording.
    const isDenied = (cause as NodeJS.ErrnoException).code === "EACCES";
    const reason = isDenied ? "Permission denied" : "No such file or directory";
    writeSync(2, `Could not chdir to home directory ${home}: ${reason}\n`);
    process.chdir("/");
  }
}

function readSpec(): string {
  let bytes = Buffer.alloc(SPEC_BYTES_USUAL);
  let length = 0;
  while (length < SPEC_BYTES_MAX) {
    if (length === bytes.length) bytes = Buffer.concat([bytes], Math.min(length * 4, SPEC_BYTES_MAX));
    const count = readSync(SPEC_FD, bytes, length, bytes.length - length, null);
    if (count === 0) break;
    length += count;
  }
  closeSync(SPEC_FD);
  return bytes.toString("utf8", 0, length);
}
