import { expect, test } from "bun:test";
import { Duplex, PassThrough } from "node:stream";
import { joinChecked } from "../../src/sshcore/checked-join.ts";
import { until } from "../support/until.ts";

const KEY = Buffer.from("the key of web1");
const OTHER = Buffer.from("the key of somebody else");

/** Two streams, joined crosswise: what is written to one is read from the other. */
function pair(): readonly [Duplex, Duplex] {
  const there = new PassThrough();
  const back = new PassThrough();
  return [Duplex.from({ readable: back, writable: there }), Duplex.from({ readable: there, writable: back })];
}

function packet(type: number, text: Buffer = Buffer.alloc(0)): Buffer {
  const field = Buffer.concat([Buffer.alloc(4), text]);
  field.writeUInt32BE(text.length);
  const payload = Buffer.concat([Buffer.from([type]), field]);
  const padding = 8 + ((8 - ((payload.length + 5) % 8)) % 8);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 + payload.length + padding);
  head[4] = padding;
  return Buffer.concat([head, payload, Buffer.alloc(padding)]);
}

/** What a server says until it encrypts. */
const greeting = (key: Buffer) =>
  Buffer.concat([Buffer.from("SSH-2.0-peer\r\n"), packet(20), packet(31, key), packet(21)]);

function joined(milestone?: { readonly bytes: number; readonly reached: () => void }) {
  const [program, ofProgram] = pair();
  const [peer, ofPeer] = pair();
  const heard = { program: "", peer: "" };
  program.on("data", (data: Buffer) => {
    heard.program += data.toString("latin1");
  });
  peer.on("data", (data: Buffer) => {
    heard.peer += data.toString("latin1");
  });
  for (const stream of [program, peer]) stream.on("error", () => {});
  const over = joinChecked({
    program: ofProgram,
    peer: ofPeer,
    hostKeys: [KEY.toString("base64")],
    ...(milestone && { milestone }),
  });
  return { program, peer, heard, over };
}

test("SSH goes both ways, byte by byte as in whole, until both have ended", async () => {
  const { program, peer, heard, over } = joined();
  for (const byte of Buffer.from("SSH-2.0-program\r\nmore")) program.write(Buffer.from([byte]));
  for (const byte of greeting(KEY)) peer.write(Buffer.from([byte]));
  peer.end("sealed");
  program.end();
  await over;
  expect(heard.peer).toBe("SSH-2.0-program\r\nmore");
  expect(heard.program).toBe(`${greeting(KEY).toString("latin1")}sealed`);
});

test.each([
  ["a page's request", "GET / HTTP/1.1\r\nHost: web1\r\n\r\n"],
  ["a page's data that names SSH later", "\r\nSSH-2.0-page\r\n"],
  ["SSH version 1", "SSH-1.5-old\r\n"],
  ["a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01"],
])("%s reaches no peer", async (_what, first) => {
  const { program, heard, over } = joined();
  program.write(Buffer.from(first, "latin1"));
  expect(await over.catch((error: unknown) => error)).toMatchObject({ code: "ERR_USAGE" });
  expect(heard.peer).toBe("");
});

test("a peer with another host key is heard no further than its offers", async () => {
  const { program, peer, heard, over } = joined();
  program.write("SSH-2.0-program\r\n");
  peer.write(greeting(OTHER));
  peer.write("password: ");
  expect(await over.catch((error: unknown) => error)).toMatchObject({ code: "ERR_HOST_KEY_MISMATCH" });
  expect(heard.program).not.toContain(OTHER.toString("latin1"));
  expect(heard.program).not.toContain("password");
});

test("what the program sends after the host key is counted, and its milestone told once", async () => {
  let reached = 0;
  const { program, peer, heard } = joined({ bytes: 10, reached: () => void reached++ });
  program.write("SSH-2.0-program\r\nand much more before the host key");
  await until("the first bytes", () => heard.peer.length === 50);
  peer.write(greeting(KEY));
  await until("the host key", () => heard.program.length === greeting(KEY).length);
  program.write("0123456789");
  await until("ten bytes", () => heard.peer.endsWith("9"));
  expect(reached).toBe(0);
  program.write("a");
  await until("the eleventh", () => reached > 0);
  program.write("and more");
  await until("the rest", () => heard.peer.endsWith("more"));
  expect(reached).toBe(1);
});

test.each(["program", "peer"] as const)("a %s that is gone takes the other along", async (gone) => {
  const ends = joined();
  ends.program.write("SSH-2.0-program\r\n");
  ends[gone].destroy();
  await ends.over;
  const other = gone === "program" ? ends.peer : ends.program;
  if (!other.readableEnded && !other.destroyed) await new Promise((resolve) => other.once("close", resolve));
});
