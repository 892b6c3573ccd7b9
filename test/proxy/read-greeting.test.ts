import { expect, test } from "bun:test";
import { Duplex, PassThrough } from "node:stream";
import { readGreeting } from "../../src/proxy/read-greeting.ts";

const SECRET = { name: "qf", password: "s3cret" };
const HEAD = `CONNECT web1:22 HTTP/1.1\r\nProxy-Authorization: Basic ${btoa("qf:s3cret")}\r\n\r\n`;

function open() {
  const there = new PassThrough();
  const back = new PassThrough();
  const ours = Duplex.from({ readable: there, writable: back });
  ours.on("error", () => {});
  return { ours, there, back };
}

test("what follows the greeting stays in the stream", async () => {
  const { ours, there } = open();
  there.write(`${HEAD}SSH-2.0-x\r\n`);
  expect(await readGreeting(ours, SECRET)).toMatchObject({ host: "web1", port: 22 });
  expect(ours.isPaused()).toBe(true);
  const rest = await new Promise((resolve) => ours.once("data", resolve).resume());
  expect(String(rest)).toBe("SSH-2.0-x\r\n");
});

test("what is none is answered where there is an answer", async () => {
  const { ours, there, back } = open();
  there.write("CONNECT web1:22 HTTP/1.1\r\n\r\n");
  expect(await readGreeting(ours, SECRET)).toBeNull();
  expect(String(await new Promise((resolve) => back.once("data", resolve)))).toStartWith("HTTP/1.1 407 ");
});

test("one that does not end in time is none, and neither is one whose program leaves", async () => {
  const slow = open();
  slow.there.write("CONNECT");
  expect(await readGreeting(slow.ours, SECRET, 20)).toBeNull();
  const gone = open();
  gone.there.end("CONNECT");
  expect(await readGreeting(gone.ours, SECRET)).toBeNull();
});
