import { expect, test } from "bun:test";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { createGatherer } from "../../src/sshcore/write-coalescer.ts";

async function pair(): Promise<{ near: Socket; far: Socket; close(): void }> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const far = connect((server.address() as { port: number }).port, "127.0.0.1");
  const [near] = (await once(server, "connection")) as [Socket];
  return {
    near,
    far,
    close() {
      for (const socket of [near, far]) socket.destroy();
      server.close();
    },
  };
}

/** Pieces of many sizes, no two of which begin alike. */
function pieces(count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => Buffer.alloc((i * 7919) % 40_000, `${i}.`));
}

test("what is written in one turn arrives whole and in order, also when the other end is slow", async () => {
  const { near, far, close } = await pair();
  const coalescer = createGatherer(near);
  const sent = pieces(400);
  // What is written is let go of, as a packet is.
  const expected = Buffer.concat(sent);
  const received: Buffer[] = [];
  far.on("data", (data: Buffer) => {
    received.push(data);
    far.pause();
    setTimeout(() => far.resume(), 1);
  });
  for (const [i, piece] of sent.entries()) {
    coalescer(piece.length);
    near.write(Buffer.from(piece));
    if (i % 31 === 0) await Bun.sleep(0);
  }
  near.end();
  await once(far, "end");
  expect(Buffer.concat(received).equals(expected)).toBe(true);
  close();
});

test("what was gathered goes before the end of the stream", async () => {
  const { near, far, close } = await pair();
  const coalescer = createGatherer(near);
  const received: Buffer[] = [];
  far.on("data", (data: Buffer) => received.push(data));
  coalescer(13);
  for (const word of ["one ", "two ", "three"]) near.write(word);
  near.end();
  await once(far, "end");
  expect(Buffer.concat(received).toString()).toBe("one two three");
  close();
});

test("a stream that is no socket keeps what it was given", async () => {
  const held: Buffer[] = [];
  const stream = new Duplex({
    read() {},
    writev(chunks, done) {
      held.push(...chunks.map(({ chunk }) => chunk));
      done();
    },
  });
  createGatherer(stream)(40_000);
  stream.write(Buffer.alloc(20_000, "a"));
  stream.write(Buffer.alloc(20_000, "b"));
  await Bun.sleep(0);
  expect(held.map((data) => data.toString("latin1", 0, 2))).toEqual(["aa", "bb"]);
});
