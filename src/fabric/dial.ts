/**
 * Dials a peer's direct listener at several addresses, staggered; the first that answers wins.
 *
 * An address answers when it sends a byte after our hello. A TCP connection alone proves little, since an
 * address advertised from another network may belong to any host. The SSH server speaks first anyway, so
 * waiting for its byte costs no round trip.
 *
 * @module
 */
import { connect, Socket } from "node:net";
import { QfError } from "../base/errors.ts";
import { parseHostPort } from "./host-port.ts";

/** Delay before the next address is tried in parallel (RFC 8305 recommends 250 ms). */
const STAGGER_MS = 250;
/** Default time limit for one peer. */
const TIMEOUT_MS = 10_000;
/** Interval of peeking at a socket. */
const PEEK_MS = 1;
/** Most attempts open at once. The map bounds the address list; this bounds its cost. */
const ATTEMPTS_MAX = 32;

export interface DialOptions {
  /** `HOST:PORT`, best first. A host without a port gets `port`. */
  readonly addresses: readonly string[];
  /** For addresses without one. Default 22022. */
  readonly port?: number;
  /** Makes a fresh hello with its newline, once per attempt, since each nonce is accepted only once. */
  helloFor(): string;
  /** Time limit of the whole dial in milliseconds, 1 or more. Default 10000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Milliseconds between attempts. Default 250. */
  readonly staggerMs?: number;
  /**
   * False: the first TCP connection wins and nothing is read from it. Default true: the first that sends
   * a byte wins; the byte is still in the stream.
   */
  readonly awaitAnswer?: boolean;
  /**
   * Peeks whether a byte is pending on the open socket, for passing the descriptor on. With it nothing is
   * ever read from the socket. Absent: as `awaitAnswer` says.
   */
  readonly peek?: (socket: Socket) => "answer" | "closed" | "nothing";
}

export interface DialResult {
  /** Paused, so that nothing is lost before it is read. */
  readonly socket: Socket;
  /** The address that answered, as given. */
  readonly address: string;
}

type Failure = "timeout" | "refused" | "closed" | "unreachable";

/** Makes what the runtime makes for its first socket, so that a later dial does not wait for it. */
export function prepareSockets(): void {
  new Socket().destroy();
}

/**
 * Opens a stream and sends the hello on it. Throws ERR_PEER_UNREACHABLE when no address answers in time, or
 * the abort reason of `signal`.
 */
export async function dialDirect(options: DialOptions): Promise<DialResult> {
  const { addresses, signal } = options;
  signal?.throwIfAborted();
  if (addresses.length === 0) throw unreachablePeer("unreachable", addresses);
  const ended = new AbortController();
  const timer = setTimeout(() => ended.abort("timeout" satisfies Failure), options.timeoutMs ?? TIMEOUT_MS);
  const onAbort = () => ended.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await race(options, ended);
  } catch (failure) {
    signal?.throwIfAborted();
    if (typeof failure !== "string") throw failure;
    throw unreachablePeer(failure as Failure, addresses);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    ended.abort("closed" satisfies Failure);
  }
}

/** Starts the next attempt after the stagger delay, or at once when the previous one has failed. */
async function race(options: DialOptions, ended: AbortController): Promise<DialResult> {
  const staggerMs = options.staggerMs ?? STAGGER_MS;
  const addresses = options.addresses.slice(0, ATTEMPTS_MAX);
  return await new Promise<DialResult>((resolve, reject) => {
    let next = 0;
    let open = 0;
    let failure: Failure = "unreachable";
    let settled = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const settle = (act: () => void) => {
      settled = true;
      clearTimeout(timer);
      act();
    };
    const start = () => {
      clearTimeout(timer);
      const address = addresses[next];
      if (settled || address === undefined) return;
      next += 1;
      open += 1;
      timer = setTimeout(start, staggerMs);
      attempt(address, options, ended.signal).then(
        (socket) => {
          if (settled) socket.destroy();
          else settle(() => resolve({ socket, address }));
        },
        (reason: unknown) => {
          open -= 1;
          if (isFailure(reason)) failure = worse(failure, reason);
          if (next < addresses.length) start();
          else if (open === 0) settle(() => reject(failure));
        },
      );
    };
    ended.signal.addEventListener("abort", () => settle(() => reject(ended.signal.reason)), { once: true });
    start();
  });
}

async function attempt(address: string, options: DialOptions, signal: AbortSignal): Promise<Socket> {
  const { host, port } = endpointOf(address, options.port);
  const socket = connect({ host, port, noDelay: true });
  return await new Promise<Socket>((resolve, reject) => {
    const fail = (failure: Failure) => {
      cleanUp();
      socket.on("error", () => {});
      socket.destroy();
      reject(failure);
    };
    const onAbort = () => fail("closed");
    const onError = (error: NodeJS.ErrnoException) => fail(failureOf(error.code));
    const onClose = () => fail("closed");
    const win = () => {
      cleanUp();
      resolve(socket);
    };
    const onReadable = () => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return; // The end; "close" follows.
      socket.pause();
      socket.unshift(chunk);
      win();
    };
    const onConnect = () => {
      if (options.peek !== undefined) socket.pause();
      socket.write(options.helloFor());
      if (options.peek !== undefined) onPeek(options.peek);
      else if (options.awaitAnswer === false) win();
      else socket.on("readable", onReadable);
    };
    let peeking: ReturnType<typeof setTimeout> | undefined;
    const onPeek = (peek: NonNullable<DialOptions["peek"]>) => {
      const outcome = peek(socket);
      if (outcome === "nothing") peeking = setTimeout(onPeek, PEEK_MS, peek);
      else if (outcome === "closed") fail("closed");
      else win();
    };
    const cleanUp = () => {
      clearTimeout(peeking);
      signal.removeEventListener("abort", onAbort);
      socket.off("error", onError).off("close", onClose).off("end", onClose);
      socket.off("readable", onReadable).off("connect", onConnect);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    socket.on("error", onError).on("close", onClose).on("end", onClose).on("connect", onConnect);
  });
}

function endpointOf(address: string, port: number | undefined): { host: string; port: number } {
  const hasPort = /^(?:\[.*\]|[^:]*):\d+$/.test(address);
  return hasPort ? parseHostPort(address) : { host: address.replace(/^\[|\]$/g, ""), port: port ?? 22_022 };
}

function failureOf(code: string | undefined): Failure {
  if (code === "ECONNREFUSED") return "refused";
  if (code === "ETIMEDOUT") return "timeout";
  return code === "ECONNRESET" || code === "EPIPE" ? "closed" : "unreachable";
}

const FAILURES_BY_WEIGHT: readonly Failure[] = ["unreachable", "timeout", "refused", "closed"];

function isFailure(value: unknown): value is Failure {
  return FAILURES_BY_WEIGHT.some((failure) => failure === value);
}

/** The more informative of two failures: a peer that hung up, rather than no peer at all. */
function worse(a: Failure, b: Failure): Failure {
  return FAILURES_BY_WEIGHT.indexOf(b) > FAILURES_BY_WEIGHT.indexOf(a) ? b : a;
}

function unreachablePeer(failure: Failure, addresses: readonly string[]): QfError {
  const tried = addresses.length === 0 ? "no address known" : addresses.slice(0, 4).join(", ");
  const [message, hint] = SAYINGS[failure];
  return new QfError("ERR_PEER_UNREACHABLE", `${message} (${tried})`, { hint });
}

const SAYINGS: Readonly<Record<Failure, readonly [message: string, hint: string]>> = {
  timeout: ["Connection timeout", "check that the peer is up, and that a firewall lets its SSH port through"],
  refused: [
    "Connection refused",
    "start the peer with qf agent up --allow-server-ssh, and look at its qf agent status",
  ],
  closed: [
    "the peer closed the connection without an answer",
    "check with qf ping: a policy must let this device reach the peer, and both clocks must agree",
  ],
  unreachable: [
    "no way to the peer",
    "check that both sides have a network, and qf agent status on the peer",
  ],
};
