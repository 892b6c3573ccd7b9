/** Something to forward to: answers with what it hears, and with `bye` once it has heard all. */
import { createServer, type Server, Socket } from "node:net";

export interface Echo extends AsyncDisposable {
  readonly port: number;
  readonly server: Server;
  /** Connections that are open. */
  readonly open: Set<Socket>;
}

/** Listens on the loopback, or at the unix socket `path`. */
export async function startEcho(path?: string): Promise<Echo> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on("error", () => {}).once("close", () => open.delete(socket));
    socket.on("data", (data) => {
      if (!socket.write(data)) {
        socket.pause();
        socket.once("drain", () => socket.resume());
      }
    });
    socket.on("end", () => socket.end("bye"));
  });
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, "127.0.0.1", resolve);
    else server.listen(path, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    server,
    open,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Sends `text` and its end, and gives back all that comes. Rejects when it cannot connect. */
export function converse(
  at: { port: number; host?: string } | { path: string },
  text: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new Socket({ allowHalfOpen: true });
    let said = "";
    socket.setTimeout(10_000, () => socket.destroy(new Error("no answer in time")));
    socket.on("data", (data) => {
      said += data.toString();
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(said));
    const options = "port" in at ? { host: "127.0.0.1", ...at } : at;
    socket.connect(options, () => socket.end(text));
  });
}

/**
 * A TCP port that nobody has at this moment, and neither the next one. Not one of those that the system
 * gives to connections, so that the next one stays free.
 */
export async function portBeforeAnother(): Promise<number> {
  for (let left = 100; left > 0; left--) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
  throw new Error("no two ports in a row are free");
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isOurs = await new Promise<boolean>((resolve) =>
    server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true)),
  );
  server.close();
  return isOurs;
}

/** A TCP port that nobody has at this moment. */
export async function freePort(): Promise<number> {
  const { port, server } = await startEcho();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
