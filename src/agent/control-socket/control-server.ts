/**
 * The agent's control socket: one request line, one answer line, done. Shapes: `wire/control.ts`.
 *
 * Who asks is what the kernel says of the other end (SO_PEERCRED), never what it says itself: status
 * for anyone, changes for root and the agent's own user.
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

/** What the agent does for those who may ask. */
export interface Controlled {
  readonly clock: Clock;
  readonly log: Log;
  readonly deviceKey: Ed25519Key;
  enrolled(): Enrolled;
  status(): AgentStatus;
  /** Applies changed flags. Throws a QfError when they do not hold together. */
  apply(flags: FlagChange): Promise<void>;
  /** Begins to stop; does not wait for it. */
  down(): void;
  /** Waits for a successor, which is to take over within a minute. */
  expectSuccessor(): void;
  /** Processes that run for this agent: itself, and earlier ones that still serve sessions. */
  pids(): readonly number[];
  /** User id of a local user, for showing people their own sessions. Null: no such user. */
  uidOf(localUser: string): Promise<number | null>;
}

export interface ControlServer {
  /** `isLeft`: a successor listens at the same path. */
  close(how?: { readonly isLeft: boolean }): Promise<void>;
}

const REQUEST_MS_MAX = 5_000;
/** Connections at once; anybody on the machine may open some. */
const CONNECTIONS_MAX = 256;
const PER_UID_MAX = 64;

interface Asker {
  readonly uid: number | null;
  /** It runs for a connection that came in by us, or nobody can tell. */
  readonly isRemote: boolean;
}

interface Caller extends Asker {
  received: string;
  isAsked: boolean;
  timer: ReturnType<typeof setTimeout>;
  /** Answer bytes the socket did not take yet. */
  unsent: Buffer;
}

/** Listens at `path`, replacing what an earlier agent left there; the caller holds the state lock. */
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
        // Now, while the process that opened it still is what it was.
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
  // At once in the place of an earlier agent's, which others may be asking right now.
  await rename(temporary, path);
  return {
    async close({ isLeft = false } = { isLeft: false }) {
      server.stop(false);
      // Whoever asked for the stop still gets the answer.
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

/** Bun's sockets have the descriptor; its types do not say so. */
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
    const failure = isQfError(error) ? error : new QfError("ERR_INTERNAL", "the agent could not do that");
    const { code, message, hint } = failure;
    return { ok: false, code, message, ...(hint === undefined ? {} : { hint }) };
  }
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

/** Everything for root and the agent's own user; nobody else sees what other people do here. */
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
 * Our word that a device is on this machine. Not for what came in from elsewhere: a device that was a guest
 * here would be taken for the machine wherever it goes.
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
