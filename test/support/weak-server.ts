/**
 * A management and a machine that refuse nothing: what `qf selftest attack` has to find.
 */
import { createServer, type Socket } from "node:net";
import {
  decodeRelayFrame,
  encodeRelayFrame,
  RELAY_AGENT_PATH,
  RELAY_CLIENT_PATH,
  RELAY_FRAME,
  resetFrame,
} from "../../src/wire/relay.ts";

const SECRET = "root:x:0:0:root:/root:/bin/sh\n";

const SYNC_PATH = "/agent/v1/sync";
const SOCKETS = [SYNC_PATH, RELAY_AGENT_PATH, RELAY_CLIENT_PATH];

/** Answers everything with 200, echoes names and markup, and believes every agent and every stream. */
export function aWeakManagement(config: object) {
  const server = Bun.serve<{ readonly path: string }>({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request, upgrade) {
      const url = new URL(request.url);
      if (SOCKETS.includes(url.pathname)) {
        const data = { path: url.pathname };
        return upgrade.upgrade(request, { data }) ? undefined : new Response("", { status: 400 });
      }
      if (url.pathname === "/client/v1/config" && request.headers.get("forwarded") === null)
        return Response.json({ ...config, origin: url.origin });
      if (url.pathname === "/client/v1/challenges") return Response.json({ challenge: "A".repeat(43) });
      if (url.pathname === "/healthz") return new Response("no", { status: 500 });
      if (url.pathname === "/login/dashboard") {
        return new Response("", { status: 302, headers: { location: url.searchParams.get("to") ?? "" } });
      }
      const names = [request.headers.get("x-forwarded-host"), decodeURIComponent(request.url)].join("\n");
      return new Response(`${names}\n${SECRET}`);
    },
    websocket: {
      open(socket) {
        const { path } = socket.data;
        if (path === SYNC_PATH) socket.send(JSON.stringify({ type: "welcome", challenge: "A".repeat(43) }));
        else if (path === RELAY_CLIENT_PATH)
          socket.send(encodeRelayFrame(RELAY_FRAME.data, 0, Buffer.from("hello")));
      },
      message(socket, message) {
        if (socket.data.path === SYNC_PATH) socket.send(JSON.stringify({ type: "audit_ack", throughSeq: 1 }));
        else if (decodeRelayFrame(message)?.type === RELAY_FRAME.ping)
          socket.send(encodeRelayFrame(RELAY_FRAME.pong, 0));
        // The machine ends what makes no sense to it.
        else socket.send(resetFrame(0, "gone"));
      },
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, close: () => server.stop(true) };
}

/** Greets everyone as SSH does or answers hellos, and grants whatever is asked for. */
export async function aWeakMachine({ isSsh }: { readonly isSsh: boolean }) {
  const grant = Buffer.from([0, 0, 0, 12, 10, 52, ...Buffer.alloc(10)]);
  const onSocket = (socket: Socket): void => {
    socket.on("error", () => {});
    if (isSsh) socket.write("SSH-2.0-weak\r\n");
    socket.on("data", () => void socket.write(isSsh ? grant : "QUFABRIC/1 ok\n"));
  };
  const server = createServer(onSocket);
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
  return { place: { host: "127.0.0.1", port }, close: () => server.close() };
}
