import { expect, test } from "bun:test";
import { connect, createServer, type Server, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { splice } from "../../src/fabric/splice.ts";

async function withPeer(onSocket: (socket: Socket) => void, work: (socket: Socket) => Promise<void>) {
  const server: Server = createServer({ allowHalfOpen: true }, onSocket);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = connect((server.address() as { port: number }).port, "127.0.0.1");
  await new Promise((resolve) => socket.once("connect", resolve));
  try {
    await work(socket);
  } finally {
    socket.destroy();
    server.close();
  }
}

test("bytes arrive whole both ways, and an end of input still lets the answer come", async () => {
  const sent = Buffer.alloc(3_000_000, "abcdefg");
  await withPeer(
    (socket) => {
      const parts: Buffer[] = [];
      socket.on("data", (part: Buffer) => parts.push(part));
      socket.on("end", () => socket.end(Buffer.concat(parts)));
    },
    async (socket) => {
      const input = new PassThrough();
      const output = new PassThrough();
      const received: Buffer[] = [];
      output.on("data", (part: Buffer) => received.push(part));
      input.end(sent);
      await splice(socket, input, output);
      expect(Buffer.concat(received).equals(sent)).toBe(true);
    },
  );
});

test("a reader that does not read holds the peer back", async () => {
  let taken = 0;
  await withPeer(
    (socket) => {
      socket.on("error", () => {});
      const part = Buffer.alloc(65_536);
      const more = () => {
        while (taken < 512 && socket.write(part)) taken += 1;
      };
      socket.on("drain", more);
      more();
    },
    async (socket) => {
      const output = new PassThrough();
      const done = splice(socket, new PassThrough(), output);
      await Bun.sleep(200);
      expect(output.readableLength + output.writableLength).toBeLessThan(1_000_000);
      expect(taken).toBeLessThan(512);
      socket.destroy();
      output.resume();
      await done;
    },
  );
});

test("a peer that is gone ends it", async () => {
  await withPeer(
    (socket) => socket.resetAndDestroy(),
    async (socket) => {
      await splice(socket, new PassThrough(), new PassThrough());
    },
  );
});

test.each([81_920, 327_680, 3_000_000])("a pipe that is read late gets all of %d bytes", async (bytes) => {
  const main = new URL("../support/splice-main.ts", import.meta.url).pathname;
  const command = `"$0" "$1" ${bytes} </dev/null | { sleep 0.4; wc -c; }`;
  const child = Bun.spawn(["sh", "-c", command, process.execPath, main], { stdout: "pipe" });
  expect(Number(await new Response(child.stdout).text())).toBe(bytes);
});
