/**
 * Finds and ends the processes of a session by what they cannot easily shed.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { readLocalText } from "./local-text.ts";

/** What the processes of one session have in common. */
export interface Mark {
  /** The session's leader: its pid is the id of the session and of its first process group. */
  readonly pid: number;
  /** When the leader started, in clock ticks; a number used again has another. Null: not known. */
  readonly startTicks: string | null;
  /** The kernel's audit session (pam_loginuid); null where the kernel keeps none. */
  auditSession: string | null;
  /** `NAME=value` that every process of the connection was given. */
  readonly environment: string;
}

interface ProcessFacts {
  readonly pid: number;
  readonly parentPid: number;
  readonly sessionId: number;
  readonly startTicks: string;
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
export function markOf(pid: number, environment: string): Mark {
  return { pid, startTicks: readFacts(pid)?.startTicks ?? null, auditSession: null, environment };
}

/** Notes the audit session once the child has one; the agent's own is no mark of anybody. */
export function noteAuditSession(mark: Mark): void {
  if (mark.auditSession !== null || readFacts(mark.pid)?.startTicks !== mark.startTicks) return;
  const session = readLocalText(`/proc/${mark.pid}/sessionid`);
  const isOwn = session === readLocalText("/proc/self/sessionid");
  if (session !== "" && session !== NO_AUDIT_SESSION && !isOwn) mark.auditSession = session;
}

/**
 * SIGKILL to every process with one of `marks` and to all that descends from one. Returns how many there
 * were.
 */
export function killMarked(marks: readonly Mark[]): number {
  const processes = listProcesses();
  const byPid = new Map(processes.map((facts) => [facts.pid, facts]));
  const valid = marks.map((mark) => ({ ...mark, sessionId: sessionOf(mark, byPid) }));
  const found = new Set(processes.filter((facts) => valid.some((mark) => hasMark(facts, mark))).map(pidOf));
  for (let grown = found.size > 0; grown; ) {
    const before = found.size;
    for (const facts of processes) if (found.has(facts.parentPid)) found.add(facts.pid);
    grown = found.size > before;
  }
  found.delete(process.pid);
  for (const pid of found) if (spared.has(byPid.get(pid)?.sessionId ?? -1)) found.delete(pid);
  for (const pid of found) kill(pid);
  return found.size;
}

/** The session id to look for; null when the number belongs to somebody else by now. */
function sessionOf(mark: Mark, byPid: ReadonlyMap<number, ProcessFacts>): number | null {
  const leader = byPid.get(mark.pid);
  return leader === undefined || leader.startTicks === mark.startTicks ? mark.pid : null;
}

function hasMark(facts: ProcessFacts, mark: Mark & { sessionId: number | null }): boolean {
  if (facts.sessionId === mark.sessionId) return true;
  if (mark.auditSession !== null && readLocalText(`/proc/${facts.pid}/sessionid`) === mark.auditSession)
    return true;
  return `\0${readLocalText(`/proc/${facts.pid}/environ`)}\0`.includes(`\0${mark.environment}\0`);
}

function listProcesses(): ProcessFacts[] {
  const processes: ProcessFacts[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const facts = readFacts(Number(name));
    if (facts !== null) processes.push(facts);
  }
  return processes;
}

/** From proc_pid_stat(5). Null when it is gone, or a zombie that nobody can end any more. */
function readFacts(pid: number): ProcessFacts | null {
  const text = readLocalText(`/proc/${pid}/stat`);
  // The name is in parentheses and may hold anything, also parentheses.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, parentPid, , sessionId] = fields;
  if (state === undefined || state === "" || state === "Z" || state === "X") return null;
  return {
    pid,
    parentPid: Number(parentPid),
    sessionId: Number(sessionId),
    startTicks: fields[19] ?? "",
  };
}

function pidOf(facts: ProcessFacts): number {
  return facts.pid;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It went by itself.
  }
}
