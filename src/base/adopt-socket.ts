/**
 * Adoption of a connected socket of which only the descriptor is known, as a socket of Bun's.
 *
 * Bun reads a socket into memory that it uses again, and hands what is written to the kernel at once, which
 * node:net does neither of.
 *
 * @module
 */

/** What happens on an adopted socket. Handlers are called as by Bun.connect; none of them may throw. */
export type SocketEvents = Pick<
  Bun.SocketHandler<undefined>,
  "open" | "data" | "drain" | "end" | "close" | "error"
>;

/**
 * Takes the connected socket `fd` over: Bun closes it. Either side may end while the other goes on. Rejects
 * where `fd` is no connected socket.
 */
export function adoptSocket(fd: number, events: SocketEvents): Promise<Bun.Socket> {
  const options = { fd, allowHalfOpen: true, socket: events };
  // Bun's types know no `fd`.
  return Bun.connect(options as unknown as Bun.TCPSocketConnectOptions<undefined>);
}
