/**
 * A reverse proxy of the kind that stands before management: ends HTTP, asks on its own account, and says who
 * asked in X-Forwarded-For. Like nginx it passes WebSockets on only when told to.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";

export interface ReverseProxy {
  readonly url: string;
  /** Port of what it stands before, on loopback. */
  backend: number;
  passesWebSockets: boolean;
  /** Whoever asks is said to be there. */
  sourceAddress: string;
  close(): void;
}

/** Headers of one connection, not of a request. */
const OF_A_CONNECTION = ["connection", "upgrade", "keep-alive", "transfer-encoding"];

export async function openReverseProxy(): Promise<ReverseProxy> {
  const open = new Set<Duplex>();
  const track = (socket: Duplex): void => {
    open.add(socket);
    socket.on("close", () => open.delete(socket)).on("error", () => socket.destroy());
  };
  const headersOf = (headers: IncomingHttpHeaders) => ({
    ...Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_A_CONNECTION.includes(name))),
    "x-forwarded-for": proxy.sourceAddress,
  });
  const ask = (incoming: IncomingMessage, extra: Record<string, string> = {}) =>
    request({
      host: "127.0.0.1",
      port: proxy.backend,
      method: incoming.method,
      path: incoming.url,
      headers: { ...headersOf(incoming.headers), ...extra },
    });
  const pass = (incoming: IncomingMessage, answer: ServerResponse): void => {
    const asked = ask(incoming);
    asked.on("error", () => answer.writeHead(502).end());
    asked.on("response", (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    incoming.pipe(asked);
  };
  const server = createServer(pass);
  server.on("connection", track);
  server.on("upgrade", (incoming, client: Duplex) => {
    const extra = proxy.passesWebSockets ? { connection: "Upgrade", upgrade: "websocket" } : {};
    const asked = ask(incoming, extra as Record<string, string>);
    asked.on("error", () => client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n"));
    asked.on("response", ({ statusCode }) => client.end(`HTTP/1.1 ${statusCode} Refused\r\n\r\n`));
    asked.on("upgrade", ({ headers }, upstream: Duplex, head) => {
      track(upstream);
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      client.write(["HTTP/1.1 101 Switching Protocols", ...lines, "", ""].join("\r\n"));
      if (head.length > 0) client.write(head);
      client.on("close", () => upstream.destroy());
      upstream.on("close", () => client.destroy());
      client.pipe(upstream);
      upstream.pipe(client);
    });
    asked.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const proxy: ReverseProxy = {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
    backend: 0,
    passesWebSockets: true,
    sourceAddress: "203.0.113.7",
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
  return proxy;
}
