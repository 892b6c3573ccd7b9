/**
 * Turns the bare descriptor of a connected socket into a Bun socket.
 *
 * A Bun socket reuses its read buffer and passes writes to the kernel at once; a node:net socket does
 * neither.
 *
 * @module
 */

/** Handlers for an adopted socket, called as Bun.connect calls them. None of them may throw. */
export type SocketEvents = Pick<
  Bun.SocketHandler<undefined>,
  "open" | "data" | "drain" | "end" | "close" | "error"
>;

/**
 * Takes over the connected socket `fd`; Bun closes it. Each direction may end on its own. Rejects when `fd`
 * is not a connected socket.
 */
export function adoptSocket(fd: number, events: SocketEvents): Promise<Bun.Socket> {
  const options = { fd, allowHalfOpen: true, socket: events };
  // Bun's types lack `fd`.
  return Bun.connect(options as unknown as Bun.TCPSocketConnectOptions<undefined>);
}
