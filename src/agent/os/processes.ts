/**
 * Finds and kills the processes of a session by what they cannot easily shed.
 *
 * A match must belong to this connection: a reused pid, or an environment copied by another user, does not
 * count.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { CONNECTION_MARK, isConnectionMark } from "./connection-mark.ts";
import { readLocalText } from "./local-text.ts";

/** What the processes of one session share. */
export interface Mark {
  /** The session leader's pid, which is also the session id and its first process group. */
  readonly pid: number;
  /** The session's user. A process that became another user is found by session or ancestors. */
  readonly uid: number;
  /** The leader's start time in clock ticks, which tells a reused pid apart. Null: unknown. */
  readonly startTicks: string | null;
  /** The kernel's audit session (pam_loginuid). Null: the kernel has none. */
  auditSession: string | null;
  /** The connection's mark, which each process has in its environment. */
  readonly connectionMark: string;
}

interface ProcessFacts {
  readonly pid: number;
  readonly parentPid: number;
  readonly sessionId: number;
  readonly startTicks: string;
  /** Ended but not yet reaped by its parent. */
  readonly isZombie: boolean;
}

/** Audit's value for a process without an audit session. */
const NO_AUDIT_SESSION = "4294967295";

/**
 * Sessions of monitors. A monitor and what its PAM modules start must survive to close its session after the
 * connection's other processes are gone. No user process can join such a session.
 */
const spared = new Set<number>();

/** Exempts the session led by our process `pid` from `killMarked`, until the returned function is called. */
export function spareSession(pid: number): () => void {
  spared.add(pid);
  return () => spared.delete(pid);
}

/** The mark of a session leader that was just started. */
export function markOf(session: Pick<Mark, "pid" | "uid" | "connectionMark">): Mark {
  return { ...session, startTicks: readFacts(session.pid)?.startTicks ?? null, auditSession: null };
}

/** Records the child's audit session once it has one. The agent's own does not count. */
export function noteAuditSession(mark: Mark): void {
  if (mark.auditSession !== null || readFacts(mark.pid)?.startTicks !== mark.startTicks) return;
  const session = readLocalText(`/proc/${mark.pid}/sessionid`);
  const isOwn = session === readLocalText("/proc/self/sessionid");
  if (session !== "" && session !== NO_AUDIT_SESSION && !isOwn) mark.auditSession = session;
}

interface Ending {
  readonly marks: readonly Mark[];
  resolve(count: number): void;
  reject(cause: unknown): void;
}

/** Connections being ended. */
let ending: Ending[] = [];

/**
 * Sends SIGKILL to every process with one of `marks` and to its descendants. Resolves with their number. All
 * calls of one turn share a scan of /proc, because a thousand connections may end at once.
 */
export function killMarkedTogether(marks: readonly Mark[]): Promise<number> {
  return new Promise((resolve, reject) => {
    ending.push({ marks, resolve, reject });
    if (ending.length === 1) setImmediate(killEnding);
  });
}

function killEnding(): void {
  const now = ending;
  ending = [];
  try {
    const counts = killMarked(now.map(({ marks }) => marks));
    for (const [at, { resolve }] of now.entries()) resolve(counts[at] ?? 0);
  } catch (cause) {
    for (const { reject } of now) reject(cause);
  }
}

/**
 * Sends SIGKILL to every process with a mark of any group and to its descendants. Returns the number killed
 * for each group.
 */
function killMarked(groups: readonly (readonly Mark[])[]): number[] {
  const counts = groups.map(() => 0);
  for (const [pid, group] of findMarked(groups, listProcesses())) {
    kill(pid);
    counts[group] = (counts[group] ?? 0) + 1;
  }
  return counts;
}

/** The group of each process that has a mark, or an ancestor with one. */
function findMarked(
  groups: readonly (readonly Mark[])[],
  processes: readonly ProcessFacts[],
): ReadonlyMap<number, number> {
  const byPid = new Map(processes.map((facts) => [facts.pid, facts]));
  const index = indexMarks(groups);
  const alive = processes.filter(({ isZombie, pid }) => !isZombie && pid !== process.pid);
  const found = new Map<number, number>();
  for (const facts of alive) {
    const group = groupOf(facts, index, byPid);
    if (group !== undefined) found.set(facts.pid, group);
  }
  for (let grown = found.size > 0; grown; ) {
    const before = found.size;
    for (const { pid, parentPid } of alive) {
      const group = found.get(parentPid);
      if (group !== undefined && !found.has(pid)) found.set(pid, group);
    }
    grown = found.size > before;
  }
  for (const pid of found.keys()) if (spared.has(byPid.get(pid)?.sessionId ?? -1)) found.delete(pid);
  return found;
}

interface GroupedMark extends Mark {
  readonly group: number;
}

/** Marks, indexed by what a process may share with them. */
interface MarkIndex {
  readonly bySession: ReadonlyMap<number, readonly GroupedMark[]>;
  readonly byAudit: ReadonlyMap<string, readonly GroupedMark[]>;
  readonly byConnection: ReadonlyMap<string, readonly GroupedMark[]>;
}

function indexMarks(groups: readonly (readonly Mark[])[]): MarkIndex {
  const all = groups.flatMap((marks, group) => marks.map((mark): GroupedMark => ({ ...mark, group })));
  const audited = all.filter(({ auditSession }) => auditSession !== null);
  return {
    // Our sessions are never 0, which stands for any leader outside a container, or 1.
    bySession: Map.groupBy(
      all.filter(({ pid }) => pid > 1),
      ({ pid }) => pid,
    ),
    byAudit: Map.groupBy(audited, ({ auditSession }) => auditSession ?? ""),
    byConnection: Map.groupBy(all, ({ connectionMark }) => connectionMark),
  };
}

function groupOf(
  facts: ProcessFacts,
  { bySession, byAudit, byConnection }: MarkIndex,
  byPid: ReadonlyMap<number, ProcessFacts>,
): number | undefined {
  const ofSession = bySession.get(facts.sessionId)?.find((mark) => {
    // The process that has the leader's pid now.
    const leader = byPid.get(mark.pid);
    return leader === undefined ? isOfLeaderless(facts.pid, mark) : leader.startTicks === mark.startTicks;
  });
  if (ofSession !== undefined) return ofSession.group;
  const audited = byAudit.size === 0 ? undefined : byAudit.get(readLocalText(`/proc/${facts.pid}/sessionid`));
  if (audited?.[0] !== undefined) return audited[0].group;
  const mark = connectionMarkOf(facts.pid);
  if (mark === null) return undefined;
  // A process older than the session is not part of it, whatever its environment says.
  return byConnection
    .get(mark)
    ?.find(({ startTicks, uid }) => isNoOlder(facts, startTicks) && realUid(facts.pid) === uid)?.group;
}

function isNoOlder(facts: ProcessFacts, startTicks: string | null): boolean {
  return Number(facts.startTicks) >= Number(startTicks ?? 0);
}

/**
 * Whether a process whose session leader is gone belongs to `mark`. The kernel may have reused the number for
 * another session that also lost its leader. A different user or another connection's mark rules it out.
 */
function isOfLeaderless(pid: number, mark: Mark): boolean {
  if (realUid(pid) !== mark.uid) return false;
  const found = connectionMarkOf(pid);
  return found === null || found === mark.connectionMark || !isConnectionMark(found);
}

/** The connection mark in its environment. Null: none, or not readable. */
function connectionMarkOf(pid: number): string | null {
  const environment = `\0${readLocalText(`/proc/${pid}/environ`)}\0`;
  const name = `\0${CONNECTION_MARK}=`;
  const start = environment.indexOf(name);
  if (start === -1) return null;
  return environment.slice(start + name.length, environment.indexOf("\0", start + name.length));
}

/** The user who started it, also for a set-user-ID program. */
function realUid(pid: number): number | null {
  const uid = /^Uid:\s+(\d+)/m.exec(readLocalText(`/proc/${pid}/status`))?.[1];
  return uid === undefined ? null : Number(uid);
}

function listProcesses(): ProcessFacts[] {
  const processes: ProcessFacts[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const facts = readFacts(Number(name));
    if (facts !== null) processes.push(facts);
  }
  return processes;
}

/** Reads proc_pid_stat(5). Null: the process is gone. */
function readFacts(pid: number): ProcessFacts | null {
  const text = readLocalText(`/proc/${pid}/stat`);
  // The name is in parentheses, and may itself contain parentheses.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, parentPid, , sessionId] = fields;
  if (state === undefined || state === "" || state === "X") return null;
  return {
    pid,
    parentPid: Number(parentPid),
    sessionId: Number(sessionId),
    startTicks: fields[19] ?? "",
    isZombie: state === "Z",
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has already ended.
  }
}
