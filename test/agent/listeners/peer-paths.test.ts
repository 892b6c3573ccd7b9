import { afterEach, expect, test } from "bun:test";
import { connect, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { createPeerPaths } from "../../../src/agent/listeners/peer-paths.ts";
import { RelayStream } from "../../../src/fabric/relay-stream.ts";
import { RELAY_FRAME } from "../../../src/wire/relay.ts";
import { until } from "../../support/until.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function aConnection(): Promise<Socket> {
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer(accepted.resolve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const client = connect(typeof address === "object" && address !== null ? address.port : 0, "127.0.0.1");
  client.on("error", () => {}).on("data", () => {});
  closing.push(
    () => client.destroy(),
    () => server.close(),
  );
  const socket = await accepted.promise;
  closing.push(() => socket.destroy());
  return socket.on("error", () => {});
}

test("a direct stream's way is what the kernel says, kept once the stream is gone", async () => {
  const paths = createPeerPaths();
  const socket = await aConnection();
  paths.add("laptop", "direct", socket);
  socket.write("some bytes");
  const latencyMs = await until("a measure", () => paths.of("laptop")?.latencyMs);
  expect(latencyMs).toBeGreaterThan(0);
  expect(latencyMs).toBeLessThan(1_000);
  expect(paths.of("laptop")).toMatchObject({ path: "direct", isLive: true });
  socket.destroy();
  await until("the end", () => paths.of("laptop")?.isLive === false);
  expect(paths.of("laptop")?.latencyMs).toBeGreaterThan(0);
});

test("a relayed stream's way is measured from its first bytes to the first that came back", async () => {
  const paths = createPeerPaths();
  const stream = new RelayStream({ id: 1, send: () => {} });
  paths.add("laptop", "relay", stream);
  expect(paths.of("laptop")).toEqual({ path: "relay", latencyMs: null, isLive: true });
  stream.write("SSH-2.0-x\r\n");
  await Bun.sleep(20);
  stream.receive({ type: RELAY_FRAME.data, streamId: 1, payload: Buffer.from("SSH-2.0-y\r\n") });
  expect(paths.of("laptop")?.latencyMs).toBeGreaterThanOrEqual(19);
  stream.destroy();
});

test("what was measured of one path is not said of another", () => {
  const measured: (number | null)[] = [7, null];
  const paths = createPeerPaths(() => measured.shift() ?? null);
  const aStream = () => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  paths.add("laptop", "direct", aStream());
  expect(paths.of("laptop")?.latencyMs).toBe(7);
  paths.add("laptop", "relay", aStream());
  expect(paths.of("laptop")).toEqual({ path: "relay", latencyMs: null, isLive: true });
});

test("a peer that has not been here is not known", () => {
  expect(createPeerPaths().of("laptop")).toBeUndefined();
});
