/**
 * Connections to addresses that an administrator chose: webhooks, chats, log collectors. Management makes
 * them nowhere else.
 *
 * Each name is resolved once, all its addresses must be permitted (`addresses.ts`), and the connection goes
 * to an address that was checked, so DNS rebinding gains nothing. Requests are always https, follow no
 * redirects, and have bounds on time and size. Only the status of an answer is used.
 *
 * @module
 */
import { lookup as systemLookup } from "node:dns/promises";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { QfError } from "../../base/errors.ts";
import { linkFailure } from "../../base/link-failure.ts";
import { allowAddresses } from "./addresses.ts";

const TIMEOUT_MS = 10_000;
const ANSWER_BYTES_MAX = 64 * 1024;
/** How long to wait for a receiver of bytes to close. One that has them and never closes counts as served. */
const CLOSE_MS = 2_000;
const ADDRESSES_MAX = 16;

/** A POST to an https URL. */
export interface OutboundPost {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Bytes for a TCP port. */
export interface OutboundBytes {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly bytes: Uint8Array;
}

export interface Outbound {
  /** Throws ERR_BAD_REQUEST for an address that is not permitted, ERR_UNAVAILABLE for any answer but 2xx. */
  post(post: OutboundPost): Promise<void>;
  /** Resolves once the other end has taken all bytes. Throws as `post`. */
  write(bytes: OutboundBytes): Promise<void>;
}

export interface OutboundOptions {
  /** Address ranges permitted besides the public ones. */
  readonly allow: readonly string[];
  readonly timeoutMs?: number;
  /** Resolves a name. Default: the system's resolver. */
  readonly lookup?: (host: string) => Promise<readonly string[]>;
  /** Certificate authorities in PEM, instead of the system's. */
  readonly ca?: string;
}

/** Throws ERR_USAGE for an invalid range. */
export function createOutbound(options: OutboundOptions): Outbound {
  const { permits } = allowAddresses(options.allow);
  const { timeoutMs = TIMEOUT_MS, lookup = lookupAll, ca } = options;
  const trust = ca === undefined ? {} : { ca };

  async function addressOf(host: string, signal: AbortSignal): Promise<string> {
    const bare = host.replace(/^\[|\]$/g, "");
    const found = isIP(bare) === 0 ? await raced(lookup(bare), signal) : [bare];
    const [first] = found;
    if (first === undefined) throw new QfError("ERR_UNAVAILABLE", `${bare} has no address`);
    if (found.length > ADDRESSES_MAX || !found.every(permits)) throw notPublic(bare);
    return first;
  }

  return {
    async post({ url, headers, body }) {
      const { protocol, host, hostname, port, pathname, search } = new URL(url);
      if (protocol !== "https:") throw new QfError("ERR_BAD_REQUEST", "only https addresses are called");
      await reaching(host, timeoutMs, async (signal) => {
        const address = await addressOf(hostname, signal);
        const authority = `${isIP(address) === 6 ? `[${address}]` : address}:${port || "443"}`;
        const isName = isIP(hostname.replace(/^\[|\]$/g, "")) === 0;
        const response = await fetch(`https://${authority}${pathname}${search}`, {
          method: "POST",
          headers: { ...headers, host },
          body,
          redirect: "manual",
          keepalive: false, // A reused connection would go to an address that was checked for another call.
          signal,
          tls: { ...trust, ...(isName ? { serverName: hostname } : {}) },
        });
        await discard(response);
        if (!response.ok) throw answered(host, response.status);
      });
    },
    async write({ host, port, tls, bytes }) {
      const name = `${host}:${port}`;
      await reaching(name, timeoutMs, async (signal) => {
        const address = await addressOf(host, signal);
        const isName = isIP(host) === 0;
        const to = { host: address, port, allowHalfOpen: true };
        const socket = tls
          ? connectTls({ ...to, ...trust, ...(isName ? { servername: host } : {}) })
          : connectTcp(to);
        await writeAll(socket, { bytes, tls, signal });
      });
    },
  };
}

/** Runs `reach` within the time limit. Its failure says what to do, and repeats nothing of the answer. */
async function reaching(
  where: string,
  timeoutMs: number,
  reach: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    await reach(signal);
  } catch (cause) {
    if (cause instanceof QfError) throw cause;
    if (signal.aborted) throw new QfError("ERR_UNAVAILABLE", `${where} did not answer in time`, { cause });
    const { message, fix } = linkFailure(cause);
    throw new QfError("ERR_UNAVAILABLE", `cannot reach ${where}: ${message}`, {
      ...(fix === undefined ? {} : { hint: fix }),
      cause,
    });
  }
}

async function lookupAll(host: string): Promise<readonly string[]> {
  return (await systemLookup(host, { all: true })).map(({ address }) => address);
}

function raced<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    promise.then(resolve, reject);
  });
}

function notPublic(host: string): QfError {
  return new QfError("ERR_BAD_REQUEST", `${host} is not an address of the public internet`, {
    hint: "the operator of management may list its network with qf management serve --allow-outbound",
  });
}

function answered(host: string, status: number): QfError {
  const isMove = status >= 300 && status < 400;
  return new QfError(
    "ERR_UNAVAILABLE",
    isMove
      ? `${host} answered with a redirect, which is not followed`
      : `${host} answered with HTTP status ${status}`,
  );
}

async function discard(response: Response): Promise<void> {
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > ANSWER_BYTES_MAX) return; // Leaving the loop ends the connection. The status still counts.
  }
}

/** Writes all bytes, ends the stream, and waits until the other end closes too. */
function writeAll(
  socket: Socket,
  { bytes, tls, signal }: { readonly bytes: Uint8Array; readonly tls: boolean; readonly signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    let patience: ReturnType<typeof setTimeout> | undefined;
    const settle = (failure?: unknown): void => {
      clearTimeout(patience);
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      if (failure === undefined) resolve();
      else reject(failure);
    };
    const onAbort = (): void => settle(signal.reason);
    // Counted, since Bun emits "finish" also for a socket that the other end broke.
    const isWritten = (): boolean => socket.bytesWritten >= bytes.length;
    signal.addEventListener("abort", onAbort, { once: true });
    socket.on("error", settle);
    socket.on("data", () => {}); // Discards what the receiver sends.
    const onClose = (): void => {
      settle(isWritten() ? undefined : new QfError("ERR_UNAVAILABLE", "the receiver closed the connection"));
    };
    socket.on("end", onClose);
    socket.on("close", onClose);
    socket.once(tls ? "secureConnect" : "connect", () => {
      socket.end(bytes, () => {
        if (isWritten()) patience = setTimeout(settle, CLOSE_MS);
      });
    });
  });
}
