/**
 * A strict state machine around one connection of ssh2, server's or client's side.
 *
 * ssh2 keeps a connection open after an out-of-place message, accepts authentication before its service was
 * requested, and continues reading after it has disconnected. The guard checks each payload before ssh2 sees
 * it. A message not permitted in the current state (`permitted.ts`) ends the connection with
 * SSH_MSG_DISCONNECT, and nothing after it is read. The guard does not decide who is admitted.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { SshBufferError } from "../base/ssh-buffer.ts";
import { AuthBounds } from "./auth-bounds.ts";
import { fasterOffer } from "./bulk-cipher.ts";
import { createChannelBounds, type FrameCheck } from "./channel-bounds.ts";
import { createKexBudget, KEX_SHARE, type KexBudget } from "./kex-budget.ts";
import { disconnectMessage } from "./messages.ts";
import { type PatchedConnection, type PatchedProtocol, patched } from "./patched-ssh2.ts";
import { CONNECTION, type GuardState, PERMITTED, type Role, SSH } from "./permitted.ts";
import { createRekeyer, type Rekeyer } from "./rekey.ts";
import { type Ssh2Protocol, sendMessageNow } from "./ssh2-internals.ts";
import { KEXINIT_BYTES_MAX, WIRE_LIMITS, type WireLimits } from "./wire-limits.ts";

export interface GuardOptions {
  /** Unset limits keep their defaults. */
  readonly limits?: Partial<WireLimits>;
  /** Called once with the peer's violation, for log and penalties. The text is ours and quotes no input. */
  readonly onViolation?: (what: string) => void;
  /**
   * Processor time for the peer's key exchanges after sign-in. Absent: a budget for this connection alone.
   */
  readonly kexBudget?: KexBudget;
}

export interface Guard {
  readonly state: GuardState;
  /** Ends the connection as after a violation. */
  refuse(what: string): void;
}

/** RFC 4253 section 11.1. */
const PROTOCOL_ERROR = 2;
const VERSION_NOT_SUPPORTED = 8;
/**
 * What our servers announce in EXT_INFO: only Ed25519 signs in; a client may sign for the host key it was
 * shown (OpenSSH PROTOCOL, section 1.8); pings hide keystroke timing.
 */
const EXTENSIONS = [
  ["server-sig-algs", "ssh-ed25519"],
  ["publickey-hostbound@openssh.com", "0"],
  ["ping@openssh.com", "0"],
] as const;
const IDENTIFICATION = /^SSH-2\.0-[!-~][ -~]*$/;
const OPEN_STATES: ReadonlySet<GuardState> = new Set(["open", "rekey", "rekey-newkeys"]);
/** A wrong key exchange guess may have any of these message numbers. */
const GUESSES = { first: 30, last: 34 };
/** Makes ssh2's parser stop, as its own fatal errors do. */
const STOP = Number.POSITIVE_INFINITY;

/** State transitions by message. */
const NEXT: Readonly<Partial<Record<GuardState, Readonly<Record<number, GuardState>>>>> = {
  first: { [SSH.KEXINIT]: "kex" },
  kex: { [SSH.KEX_ECDH_INIT]: "newkeys", [SSH.KEX_ECDH_REPLY]: "newkeys" },
  newkeys: { [SSH.NEWKEYS]: "keyed" },
  keyed: {
    [SSH.IGNORE]: "service",
    [SSH.UNIMPLEMENTED]: "service",
    [SSH.DEBUG]: "service",
    [SSH.EXT_INFO]: "service",
    [SSH.SERVICE_REQUEST]: "auth",
    [SSH.SERVICE_ACCEPT]: "auth",
  },
  service: { [SSH.SERVICE_REQUEST]: "auth", [SSH.SERVICE_ACCEPT]: "auth" },
  auth: { [SSH.USERAUTH_SUCCESS]: "open" },
  // A new request abandons the one that was prompting.
  prompted: { [SSH.USERAUTH_REQUEST]: "auth", [SSH.USERAUTH_INFO_RESPONSE]: "auth" },
  open: { [SSH.KEXINIT]: "rekey" },
  rekey: { [SSH.KEX_ECDH_INIT]: "rekey-newkeys", [SSH.KEX_ECDH_REPLY]: "rekey-newkeys" },
  "rekey-newkeys": { [SSH.NEWKEYS]: "open" },
};

/**
 * Guards a connection of ssh2's Server. Call it first in the listener of "connection": the client's
 * identification line has just been read, nothing else. ssh2's patch bounds the length of what came before;
 * the owner of the socket bounds its time.
 */
export function guardConnection(connection: object, options: GuardOptions = {}): Guard {
  const inside = patched(connection);
  inside._protocol.extensions = EXTENSIONS;
  return guard(inside, "server", options);
}

/** Guards ssh2's Client. Call it right after `connect`. The server must do strict key exchange. */
export function guardClient(client: object, options: GuardOptions = {}): Guard {
  return guard(patched(client), "client", options);
}

/** The parts of one guarded connection. */
interface Guarded {
  readonly connection: PatchedConnection;
  readonly role: Role;
  readonly limits: WireLimits;
  state: GuardState;
  isOver: boolean;
  /** Cleanup functions, such as stopping timers. */
  readonly atEnd: (() => void)[];
}

function guard(connection: PatchedConnection, role: Role, options: GuardOptions): Guard {
  const limits = { ...WIRE_LIMITS, ...options.limits };
  const guarded: Guarded = { connection, role, limits, state: "first", isOver: false, atEnd: [] };
  const protocol = connection._protocol;
  const { refuse, linger } = createEnding(guarded, options.onViolation);
  const rekeyer = createRekeyer(
    connection,
    limits,
    () => guarded.state === "open" && !guarded.isOver,
    () => refuse("a key exchange that does not end"),
    options.kexBudget ?? createKexBudget(KEX_SHARE, () => performance.now()),
  );
  guarded.atEnd.push(() => rekeyer.stop());
  const reading = createReadHold(connection._sock);
  connection.on("handshake", () => {
    const pauseMs = rekeyer.finished();
    if (pauseMs === 0 || guarded.isOver) return;
    const release = reading.hold();
    setTimeout(release, pauseMs);
  });
  let grace: ReturnType<typeof setTimeout> | undefined;
  if (limits.graceMs > 0) grace = setTimeout(() => refuse("no sign-in in time"), limits.graceMs);
  const stopGrace = (): void => clearTimeout(grace);
  guarded.atEnd.push(stopGrace);

  const checkFrame = createFrameCheck(guarded, rekeyer, stopGrace);
  const boundOutput = createOutputBound(guarded, refuse, reading);
  protocol.inspectPayload = (payload) => {
    if (guarded.isOver || connection._sock.writableEnded) return STOP;
    const check = checkFrame(payload);
    if (check !== null && check !== "drop") {
      refuse(check.wrong);
      return STOP;
    }
    boundOutput();
    if (check === "drop") return guarded.isOver ? STOP : undefined;
    // Nothing after it may be processed (RFC 4253 section 11.1), but ssh2 would.
    if (payload[0] === SSH.DISCONNECT) linger();
    return true;
  };
  if (role === "server" && !IDENTIFICATION.test(protocol._remoteIdentRaw?.toString("latin1") ?? "")) {
    refuse("an identification line that is not SSH-2.0", VERSION_NOT_SUPPORTED);
  }
  return {
    get state() {
      return guarded.state;
    },
    refuse,
  };
}

/** Ends a guarded connection: on a violation, or because ssh2 or its user ended it. */
function createEnding(guarded: Guarded, onViolation: GuardOptions["onViolation"]) {
  const { connection, role, limits, atEnd } = guarded;
  const { _protocol: protocol, _sock: socket } = connection;
  const disconnect = protocol.disconnect;
  const stop = (): void => {
    guarded.isOver = true;
    for (const end of atEnd.splice(0)) end();
  };
  const linger = (): void => {
    if (guarded.isOver) return;
    stop();
    // A peer that neither reads nor closes must not hold the socket open.
    const timer = setTimeout(() => socket.destroy(), limits.lingerMs);
    timer.unref();
    socket.once("close", () => clearTimeout(timer));
  };
  const refuse = (what: string, reason = PROTOCOL_ERROR): void => {
    if (guarded.isOver) return;
    sendMessageNow(protocol as unknown as Ssh2Protocol, disconnectMessage(reason, what));
    linger();
    protocol._destruct?.("a protocol error");
    onViolation?.(what);
    protocol._onError(Object.assign(new Error(what), { level: "protocol" }));
  };
  protocol.disconnect = (reason) => {
    disconnect.call(protocol, reason);
    linger();
  };
  // Every error ends a server's connection; a client's error may be one of several keys failing.
  connection.on("error", () => {
    if (role === "server" || protocol._destruct === undefined) linger();
  });
  socket.once("close", stop);
  return { refuse, linger };
}

/** Checks each message against the state and advances the state. */
function createFrameCheck(
  guarded: Guarded,
  rekeyer: Rekeyer,
  onOpen: () => void,
): (payload: Buffer) => FrameCheck {
  const { connection, role, limits } = guarded;
  const protocol = connection._protocol;
  const auth = new AuthBounds(protocol, role, limits, (state) => {
    guarded.state = state;
    if (state !== "open") return;
    if (role === "server") takeLongPackets(protocol, limits.packetBytesMax);
    onOpen();
  });
  const judgeOpen = createChannelBounds(connection, role, limits);
  const checkFrame = (payload: Buffer): FrameCheck => {
    const type = payload[0];
    if (type === undefined) return { wrong: "an empty message" };
    const { state } = guarded;
    if (OPEN_STATES.has(state)) {
      rekeyer.received(payload.length);
      if (state === "open" && type !== SSH.KEXINIT) return judgeOpen(type, payload);
      if (CONNECTION.includes(type) && PERMITTED[role][state].includes(type)) return judgeOpen(type, payload);
    }
    const isGuess = type >= GUESSES.first && type <= GUESSES.last;
    if (state === "kex" && isGuess && protocol._skipNextInboundPacket) return null;
    if (!PERMITTED[role][state].includes(type)) return { wrong: `message ${type} in state ${state}` };
    if (type === SSH.KEXINIT) {
      if (payload.length > KEXINIT_BYTES_MAX) return { wrong: "a KEXINIT that is too long" };
      if (state === "open") rekeyer.begins();
      else if (role === "server") rekeyer.offerLater(fasterOffer(protocol, payload));
    }
    if (state === "rekey" && (type === SSH.KEX_ECDH_INIT || type === SSH.KEX_ECDH_REPLY)) rekeyer.computes();
    const isReply = role === "client" && type === SSH.KEX_ECDH_REPLY;
    if (isReply && protocol._strictMode !== true) return { wrong: "a server without strict key exchange" };
    const check = auth.checkFrame(state, type, payload);
    if (check === null) guarded.state = NEXT[state]?.[type] ?? guarded.state;
    return check;
  };
  return (payload) => {
    try {
      return checkFrame(payload);
    } catch (cause) {
      if (cause instanceof SshBufferError) return { wrong: `a malformed message ${payload[0]}` };
      throw cause;
    }
  };
}

/**
 * Accepts longer packets from now on, under these keys and later ones. Strangers cannot make us buffer as
 * much.
 */
function takeLongPackets(protocol: PatchedProtocol, bytesMax: number): void {
  protocol.maxPacketSize = bytesMax;
  if (protocol._decipher !== undefined) protocol._decipher.maxPacketSize = bytesMax;
}

/** Reading stops while anything holds it. */
interface ReadHold {
  /** Returns a function that releases it. */
  hold(): () => void;
}

function createReadHold(socket: Duplex): ReadHold {
  let holders = 0;
  return {
    hold() {
      if (++holders === 1) socket.pause();
      return () => {
        if (--holders === 0) socket.resume();
      };
    },
  };
}

/** Stops reading from a peer that sends requests and does not read the answers. */
function createOutputBound(guarded: Guarded, refuse: (what: string) => void, reading: ReadHold): () => void {
  const { limits } = guarded;
  const { _protocol: protocol, _sock: socket } = guarded.connection;
  let isPaused = false;
  return () => {
    if ((protocol._queue?.length ?? 0) > limits.queuedPacketsMax) refuse("a flood during a key exchange");
    if (isPaused || socket.writableLength <= limits.unsentBytesMax) return;
    isPaused = true;
    const release = reading.hold();
    socket.once("drain", () => {
      isPaused = false;
      release();
    });
  };
}
