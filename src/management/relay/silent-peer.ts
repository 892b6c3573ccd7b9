/**
 * A system call for the relay's plain connections, which have no pings.
 *
 * @module
 */
import { ptr } from "bun:ffi";
import { openCLibrary } from "../../base/c-library.ts";

const SYMBOLS = { setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" } } as const;

// <netinet/tcp.h> of Linux.
const IPPROTO_TCP = 6;
const TCP_USER_TIMEOUT = 18;

let libc: ReturnType<typeof openCLibrary<typeof SYMBOLS>> | null = null;

/**
 * Ends a TCP connection whose other end has acknowledged nothing for `ms`. The kernel asks an idle one. An
 * end that reads nothing and still answers is not silent.
 */
export function endWhenSilent(
  socket: Pick<Bun.Socket, "setKeepAlive"> & { readonly fd?: number },
  ms: number,
) {
  socket.setKeepAlive(true, Math.floor(ms / 3));
  if (process.platform !== "linux" || socket.fd === undefined || socket.fd < 0) return;
  libc ??= openCLibrary(SYMBOLS);
  const value = Int32Array.of(ms);
  libc?.setsockopt(socket.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, ptr(value), 4);
}
