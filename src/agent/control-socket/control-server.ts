/**
 * The agent's control socket. Each connection has one request line and one answer line, defined in
 * `wire/control.ts`.
 *
 * The kernel identifies the caller (SO_PEERCRED); what the caller claims does not count. Anyone may read the
 * status. Only root and the agent's own user may change something.
 *
 * @module
 */
import { chmod, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Socket } from "bun";
import { type Clock, nowSeconds } from "../../base/clock.ts";
import { type Ed25519Key, signEd25519 } from "../../base/ed25519.ts";
import { isQfError, QfError } from "../../base/errors.ts";
import { parseJson } from "../../base/files.ts";
import type { Log } from "../../base/log.ts";
import { systemFailure } from "../../base/system-error.ts";
import type { Enrolled } from "../../wire/agent-state-file.ts";
import {
  type AgentStatus,
  CONTROL_REQUEST_BYTES_MAX,
  type ControlAnswer,
  ControlRequest,
} from "../../wire/control.ts";
import { signedBytes } from "../../wire/signed-fields.ts";
import type { FlagChange } from "../contracts/flags.ts";
import { isOfAnyConnection } from "../os/lineage.ts";
import { socketPeer } from "../os/native.ts";

/** Operations of the agent for callers who are allowed. */
export interface Controlled {
  readonly clock: Clock;
  readonly log: Log;
  readonly deviceKey: Ed25519Key;
  enrolled(): Enrolled;
  status(): AgentStatus;
  /** Applies changed flags. Throws a QfError if they contradict each other. */
  apply(flags: FlagChange): Promise<void>;
  /** Starts to stop the agent, without waiting. */
  down(): void;
  /** Expects a successor, which must take over within a minute. */
  expectSuccessor(): void;
  /** Processes of this agent: itself, and earlier ones that still serve sessions. */
  pids(): readonly number[];
  /** User id of a local user, so that people see their own sessions. Null: no such user. */
  uidOf(localUser: string): Promise<number | null>;
}

export interface ControlServer {
  /** `isLeft`: a successor listens at the same path, so leave it. */
  close(how?: { readonly isLeft: boolean }): Promise<void>;
}

const REQUEST_MS_MAX = 5_000;
/** Most connections at once. Any local user may open them. */
const CONNECTIONS_MAX = 256;
const PER_UID_MAX = 64;

interface Asker {
  readonly uid: number | null;
  /** The caller runs for an SSH connection that we serve, or this is unknown. */
  readonly isRemote: boolean;
}

interface Caller extends Asker {
  received: string;
  isAsked: boolean;
  timer: ReturnType<typeof setTimeout>;
  /** Answer bytes not yet accepted by the socket. */
  unsent: Buffer;
}

/** Listens at `path`, replacing an earlier agent's socket. The caller holds the state lock. */
export async function openControlServer(path: string, agent: Controlled): Promise<ControlServer> {
  const temporary = join(dirname(path), "control.new");
  await unlink(temporary).catch(() => {});
  const callers = new Set<Socket<Caller>>();
  const server = Bun.listen<Caller>({
    unix: temporary,
    socket: {
      open(socket) {
        const peer = socketPeer(fdOf(socket));
        const uid = peer?.uid ?? null;
        // Check now, while the process that opened the socket still exists unchanged.
        const isRemote = peer === null || isOfAnyConnection(peer.pid, agent.pids());
        const timer = setTimeout(() => socket.terminate(), REQUEST_MS_MAX);
        socket.data = { uid, isRemote, received: "", isAsked: false, timer, unsent: Buffer.alloc(0) };
        const ofUid = [...callers].filter((other) => other.data.uid === uid).length;
        callers.add(socket);
        const isPrivileged = mayChange(uid);
        if (!isPrivileged && (callers.size > CONNECTIONS_MAX || ofUid >= PER_UID_MAX)) socket.terminate();
      },
      data(socket, chunk) {
        const { data } = socket;
        if (data.isAsked) return;
        data.received += chunk.toString("utf8");
        const end = data.received.indexOf("\n");
        if (end === -1 && data.received.length <= CONTROL_REQUEST_BYTES_MAX) return;
        data.isAsked = true;
        clearTimeout(data.timer);
        const line = end === -1 ? "" : data.received.slice(0, end);
        void answer(line, data, agent).then((text) => {
          data.unsent = Buffer.from(`${JSON.stringify(text)}\n`);
          flush(socket);
        });
      },
      drain: flush,
      close(socket) {
        clearTimeout(socket.data.timer);
        callers.delete(socket);
      },
      error() {},
    },
  });
  await chmod(temporary, 0o666);
  // Replaces an earlier agent's socket atomically, because other processes may be using it.
  await rename(temporary, path);
  return {
    async close({ isLeft = false } = { isLeft: false }) {
      server.stop(false);
      // The caller that requested the stop still gets its answer.
      const deadline = Bun.sleep(500);
      await Promise.race([
        deadline,
        (async () => {
          while (callers.size > 0) await Bun.sleep(10);
        })(),
      ]);
      for (const socket of callers) socket.terminate();
      if (!isLeft) await unlink(path).catch(() => {});
    },
  };
}

/** Bun's sockets have the descriptor, but its types do not. */
function fdOf(socket: Socket<Caller>): number {
  return (socket as unknown as { readonly fd: number }).fd;
}

function flush(socket: Socket<Caller>): void {
  const { data } = socket;
  if (data.unsent.length === 0) return;
  const written = socket.write(data.unsent);
  data.unsent = data.unsent.subarray(Math.max(0, written));
  if (data.unsent.length === 0) socket.end();
}

function mayChange(uid: number | null): boolean {
  return uid !== null && (uid === 0 || uid === process.geteuid?.());
}

async function answer(line: string, asker: Asker, agent: Controlled): Promise<ControlAnswer> {
  try {
    const parsed = ControlRequest.safeParse(parseJson(line));
    if (!parsed.success) throw new QfError("ERR_BAD_REQUEST", "that is no request this agent knows");
    return await answerRequest(parsed.data, asker, agent);
  } catch (error) {
    if (!isQfError(error)) agent.log.error("a control request failed", {}, error);
    const { code, message, hint } = isQfError(error) ? error : failureOf(error, asker);
    return { ok: false, code, message, ...(hint === undefined ? {} : { hint }) };
  }
}

/** What the system refused, such as a full disk, is said to those who may change something about it. */
function failureOf(error: unknown, { uid }: Asker): QfError {
  const refused = mayChange(uid) ? systemFailure(error) : undefined;
  if (refused === undefined) return new QfError("ERR_INTERNAL", "the agent could not do that");
  const { message, hint } = refused;
  return new QfError("ERR_UNAVAILABLE", message, hint === undefined ? {} : { hint });
}

async function answerRequest(
  request: ControlRequest,
  asker: Asker,
  agent: Controlled,
): Promise<ControlAnswer> {
  const { uid } = asker;
  switch (request.do) {
    case "status":
      return { ok: true, status: await visibleStatus(agent, uid) };
    case "vouch":
      return { ok: true, vouch: vouch(request.deviceKey, asker, agent) };
    case "apply":
      requireChange(uid);
      await agent.apply(request.flags);
      return { ok: true, status: agent.status() };
    case "down":
      requireChange(uid);
      agent.down();
      return { ok: true };
    case "hand_over":
      requireChange(uid);
      agent.expectSuccessor();
      return { ok: true };
  }
}

function requireChange(uid: number | null): void {
  if (mayChange(uid)) return;
  throw new QfError("ERR_PERMISSION", "only root and the agent's own user may change the agent", {
    hint: "run the same command with sudo",
  });
}

/** Root and the agent's own user see everything. Others do not see other people's activity. */
async function visibleStatus(agent: Controlled, uid: number | null): Promise<AgentStatus> {
  const status = agent.status();
  if (mayChange(uid)) return status;
  const sessions: AgentStatus["sshServer"]["sessions"] = [];
  for (const session of status.sshServer.sessions) {
    if (uid !== null && (await agent.uidOf(session.localUser)) === uid) sessions.push(session);
  }
  return { ...status, sshServer: { ...status.sshServer, sessions } };
}

/**
 * Confirms that a device is on this machine. Not for remote callers: a guest's device would otherwise pass
 * for this machine wherever it goes.
 */
function vouch(deviceKey: string, { uid, isRemote }: Asker, agent: Controlled) {
  if (isRemote) {
    agent.log.warn("no vouch for what came in by a connection", { uid });
    throw new QfError("ERR_PERMISSION", "an agent vouches for nobody who came in by a connection", {
      hint: "sign in at the machine itself; signing in from here works, without its groups",
    });
  }
  if (uid === null) throw new QfError("ERR_UNAVAILABLE", "this system does not say who is asking");
  const { accountId, origin, peerId: machinePeerId } = agent.enrolled();
  const timeSeconds = nowSeconds(agent.clock);
  const fields = { deviceKey, machinePeerId, uid, timeSeconds };
  const signature = signEd25519(agent.deviceKey, signedBytes("vouch", { accountId, origin }, fields));
  return { machinePeerId, uid, timeSeconds, signature };
}
