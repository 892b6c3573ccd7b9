/**
 * A load balancer of the smallest kind: one TCP address before several, each connection to the next one
 * that accepts it.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

export interface Balancer {
  readonly port: number;
  /** Ports on loopback, asked in turn. */
  backends: number[];
  close(): void;
}

export async function openBalancer(): Promise<Balancer> {
  const open = new Set<Socket>();
  let turn = 0;
  const track = (socket: Socket): Socket => {
    open.add(socket);
    return socket.on("close", () => open.delete(socket)).on("error", () => socket.destroy());
  };
  const server: Server = createServer((client) => {
    track(client);
    client.pause();
    const ports = balancer.backends.map((_, i) => balancer.backends[(turn + i) % balancer.backends.length]);
    turn += 1;
    join(client, ports as number[]);
  });
  const join = (client: Socket, [port, ...rest]: number[]): void => {
    if (port === undefined) {
      client.destroy();
      return;
    }
    const upstream = connect(port, "127.0.0.1");
    const onRefused = (): void => join(client, rest);
    upstream.once("error", onRefused);
    upstream.once("connect", () => {
      upstream.off("error", onRefused);
      track(upstream);
      client.on("close", () => upstream.destroy());
      upstream.on("close", () => client.destroy());
      client.pipe(upstream);
      upstream.pipe(client);
    });
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const balancer: Balancer = {
    port: typeof address === "object" && address !== null ? address.port : 0,
    backends: [],
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
  return balancer;
}
