/**
 * Finds and ends the processes of a session by what they cannot easily shed.
 *
 * Whatever is found belongs to this connection: a number that the kernel has used again, or an environment
 * that another user has copied, is no mark.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { CONNECTION_MARK, isConnectionMark } from "./connection-mark.ts";
import { readLocalText } from "./local-text.ts";

/** What the processes of one session have in common. */
export interface Mark {
  /** The session's leader: its pid is the id of the session and of its first process group. */
  readonly pid: number;
  /**
   * Whom the session belongs to. What became another user in it is found by its session and its ancestors.
   */
  readonly uid: number;
  /** When the leader started, in clock ticks; a number used again has another. Null: not known. */
  readonly startTicks: string | null;
  /** The kernel's audit session (pam_loginuid); null where the kernel keeps none. */
  auditSession: string | null;
  /** The mark of its connection, which each process was given in its environment. */
  readonly connectionMark: string;
}

interface ProcessFacts {
  readonly pid: number;
  readonly parentPid: number;
  readonly sessionId: number;
  readonly startTicks: string;
  /** It has ended, and its parent has not noticed. */
  readonly isZombie: boolean;
}

/** What audit says of a process that belongs to no audit session. */
const NO_AUDIT_SESSION = "4294967295";

/**
 * Sessions of monitors, which close what they have opened when nothing else of a connection is left, with
 * what their PAM modules start for it. Nobody else can get into one.
 */
const spared = new Set<number>();

/** Exempts the session that a process of ours leads from `killMarked` until the answer is called. */
export function spareSession(pid: number): () => void {
  spared.add(pid);
  return () => spared.delete(pid);
}

/** The mark of a child that has just been started and leads its session. */
export function markOf(session: Pick<Mark, "pid" | "uid" | "connectionMark">): Mark {
  return { ...session, startTicks: readFacts(session.pid)?.startTicks ?? null, auditSession: null };
}

/** Notes the audit session once the child has one; the agent's own is no mark of anybody. */
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

/** Connections that end now. */
let ending: Ending[] = [];

/**
 * SIGKILL to every process with one of `marks`, and to all that descends from one. Resolves to how many there
 * were. All processes are looked at once for all who ask in one turn: a thousand connections may end at once.
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
 * SIGKILL to every process with one of the marks of any group, and to all that descends from one. Returns how
 * many there were of each group.
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

/** Marks by each thing that a process may share with one. */
interface MarkIndex {
  readonly bySession: ReadonlyMap<number, readonly GroupedMark[]>;
  readonly byAudit: ReadonlyMap<string, readonly GroupedMark[]>;
  readonly byConnection: ReadonlyMap<string, readonly GroupedMark[]>;
}

function indexMarks(groups: readonly (readonly Mark[])[]): MarkIndex {
  const all = groups.flatMap((marks, group) => marks.map((mark): GroupedMark => ({ ...mark, group })));
  const audited = all.filter(({ auditSession }) => auditSession !== null);
  return {
    // No session of ours has the number 0, which stands for all whose leader is outside of a container, or 1.
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
    // What has the number of the mark's leader now.
    const leader = byPid.get(mark.pid);
    return leader === undefined ? isOfLeaderless(facts.pid, mark) : leader.startTicks === mark.startTicks;
  });
  if (ofSession !== undefined) return ofSession.group;
  const audited = byAudit.size === 0 ? undefined : byAudit.get(readLocalText(`/proc/${facts.pid}/sessionid`));
  if (audited?.[0] !== undefined) return audited[0].group;
  const mark = connectionMarkOf(facts.pid);
  if (mark === null) return undefined;
  // A process older than the session cannot be of it, whatever its environment says.
  return byConnection
    .get(mark)
    ?.find(({ startTicks, uid }) => isNoOlder(facts, startTicks) && realUid(facts.pid) === uid)?.group;
}

function isNoOlder(facts: ProcessFacts, startTicks: string | null): boolean {
  return Number(facts.startTicks) >= Number(startTicks ?? 0);
}

/**
 * Whether a process of a session whose leader is gone is of `mark`. The kernel may have used the number again
 * for another session whose leader is gone as well, so another user, or another connection's mark, says that
 * it is not.
 */
function isOfLeaderless(pid: number, mark: Mark): boolean {
  if (realUid(pid) !== mark.uid) return false;
  const found = connectionMarkOf(pid);
  return found === null || found === mark.connectionMark || !isConnectionMark(found);
}

/** What its environment says its connection is. Null: nothing, or it cannot be read. */
function connectionMarkOf(pid: number): string | null {
  const environment = `\0${readLocalText(`/proc/${pid}/environ`)}\0`;
  const name = `\0${CONNECTION_MARK}=`;
  const start = environment.indexOf(name);
  if (start === -1) return null;
  return environment.slice(start + name.length, environment.indexOf("\0", start + name.length));
}

/** Who has started it: also of a program that runs as somebody else by its set-user-ID bit. */
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

/** From proc_pid_stat(5). Null when it is gone. */
function readFacts(pid: number): ProcessFacts | null {
  const text = readLocalText(`/proc/${pid}/stat`);
  // The name is in parentheses and may hold anything, also parentheses.
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
    // It went by itself.
  }
}
