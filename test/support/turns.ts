/** A TCP port before another that passes everything on and writes down whose turn it was to speak. */
import { connect, createServer, type Socket } from "node:net";

export interface Turns {
  readonly port: number;
  /** Each time the other side began to speak: "up" is from whoever connects. */
  readonly turns: ("up" | "down")[];
  close(): void;
}

export async function recordTurns(upstreamPort: number): Promise<Turns> {
  const turns: ("up" | "down")[] = [];
  const open = new Set<Socket>();
  const pass = (from: Socket, to: Socket, direction: "up" | "down"): void => {
    open.add(from);
    from
      .on("error", () => {})
      .on("data", (data) => {
        if (turns.at(-1) !== direction) turns.push(direction);
        to.write(data);
      })
      .on("close", () => to.destroy());
  };
  const server = createServer((client) => {
    const upstream = connect(upstreamPort, "127.0.0.1");
    pass(client, upstream, "up");
    pass(upstream, client, "down");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    turns,
    close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}
