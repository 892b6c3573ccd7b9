/**
 * Somebody between everybody and management: a reverse proxy that passes HTTP and WebSockets on, and may
 * change what a relayed stream carries, hold it back, or cut it.
 */
import type { Server, ServerWebSocket } from "bun";
import {
  RELAY_AGENT_PATH,
  RELAY_CLIENT_PATH,
  RELAY_FRAME,
  RELAY_HELLO_HEADER,
  RELAY_PROOF_HEADER,
} from "../../src/wire/relay.ts";

interface Between {
  readonly path: string;
  readonly headers: Record<string, string>;
  upstream: WebSocket | null;
  readonly early: (string | Buffer)[];
}

/** Changes one frame of a relayed stream on its way; null cuts the stream. */
export type Tamper = (frame: Buffer, towards: "client" | "agent") => Buffer | null;

export interface RelayBetween {
  readonly url: string;
  /** Where management listens; set before anything is asked. */
  upstream: string;
  /** Absent: everything passes as it is. */
  tamper: Tamper | undefined;
  /** Says something to every machine that is linked to the relay, as if the relay did. */
  sayToAgents(frame: Buffer): void;
  close(): void;
}

export function startBetween(): RelayBetween {
  const agents = new Set<ServerWebSocket<Between>>();
  const between: RelayBetween = {
    url: "",
    upstream: "",
    tamper: undefined,
    sayToAgents: (frame) => {
      for (const agent of agents) agent.sendBinary(frame);
    },
    close: () => void server.stop(true),
  };
  const server: Server<Between> = Bun.serve<Between>({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 60,
    fetch(request, self) {
      const { pathname, search } = new URL(request.url);
      if (request.headers.get("upgrade") === null) return pass(request, between.upstream);
      const kept = [RELAY_HELLO_HEADER, RELAY_PROOF_HEADER].flatMap((name) => {
        const value = request.headers.get(name);
        return value === null ? [] : [[name, value] as const];
      });
      const data = {
        path: `${pathname}${search}`,
        headers: Object.fromEntries(kept),
        upstream: null,
        early: [],
      };
      return self.upgrade(request, { data }) ? undefined : new Response("", { status: 400 });
    },
    websocket: {
      maxPayloadLength: 64 * 1024 * 1024,
      open: (socket) => {
        if (socket.data.path.startsWith(RELAY_AGENT_PATH)) agents.add(socket);
        connect(socket, between);
      },
      message: (socket, message) => {
        const { upstream, early } = socket.data;
        const changed = change(between, socket.data.path, message, "agent");
        if (changed === null) socket.close();
        else if (upstream?.readyState === WebSocket.OPEN) upstream.send(changed as string);
        else early.push(changed);
      },
      close: (socket) => {
        agents.delete(socket);
        socket.data.upstream?.close();
      },
    },
  });
  return Object.assign(between, { url: `http://127.0.0.1:${server.port}` });
}

function connect(socket: ServerWebSocket<Between>, between: RelayBetween): void {
  const { path, headers, early } = socket.data;
  const upstream = new WebSocket(`${between.upstream.replace("http", "ws")}${path}`, {
    headers,
  } as object as string[]);
  (upstream as { binaryType: string }).binaryType = "nodebuffer";
  socket.data.upstream = upstream;
  upstream.onopen = () => {
    for (const message of early.splice(0)) upstream.send(message as string);
  };
  upstream.onmessage = ({ data }) => {
    const changed = change(between, path, data as string | Buffer, "client");
    if (changed === null) socket.close();
    else socket.send(changed);
  };
  upstream.onerror = () => {};
  upstream.onclose = () => socket.close();
}

function change(
  between: RelayBetween,
  path: string,
  message: string | Buffer,
  towards: "client" | "agent",
): string | Buffer | null {
  const isData = Buffer.isBuffer(message) && message[0] === RELAY_FRAME.data;
  if (!isData || !path.startsWith(RELAY_CLIENT_PATH) || between.tamper === undefined) return message;
  return between.tamper(Buffer.from(message), towards);
}

async function pass(request: Request, upstream: string): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const response = await fetch(`${upstream}${pathname}${search}`, {
    method: request.method,
    headers: request.headers,
    redirect: "manual",
    ...(request.body === null ? {} : { body: await request.arrayBuffer() }),
  });
  const headers = new Headers(response.headers);
  for (const name of ["content-encoding", "content-length", "transfer-encoding"]) headers.delete(name);
  return new Response(await response.arrayBuffer(), { status: response.status, headers });
}
