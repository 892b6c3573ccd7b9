import { expect, test } from "bun:test";
import type { Socket } from "bun";
import { LineSocket } from "../../../src/agent/handover/line-socket.ts";

/** A socket that takes so many bytes at a time. */
function narrow(bytesAtOnce: number) {
  const taken: Buffer[] = [];
  let isClosed = false;
  const socket = {
    write(data: Uint8Array) {
      taken.push(Buffer.from(data.subarray(0, bytesAtOnce)));
      return Math.min(data.length, bytesAtOnce);
    },
    terminate() {
      isClosed = true;
    },
  } as unknown as Socket<unknown>;
  return { socket, taken: () => Buffer.concat(taken).toString(), isClosed: () => isClosed };
}

test("what the socket does not take waits, and goes in order", () => {
  const { socket, taken } = narrow(5);
  const lines = new LineSocket(socket);
  lines.send({ a: 1 });
  lines.send({ b: 2 });
  for (let turn = 0; turn < 8; turn++) lines.flush();
  expect(taken()).toBe('{"a":1}\n{"b":2}\n');
});

test("lines are put together from what comes, however it is cut", () => {
  const lines = new LineSocket(narrow(1).socket);
  const text = Buffer.from('{"name":"\u00fc"}\n{"b":2}\nno json\n{"c"');
  const found: unknown[] = [];
  for (const byte of text) found.push(...lines.take(Buffer.from([byte])));
  expect(found).toEqual([{ name: "\u00fc" }, { b: 2 }, undefined]);
  expect(lines.take(Buffer.from(":3}\n"))).toEqual([{ c: 3 }]);
});

test("a socket that breaks off takes nothing more", () => {
  const { socket, isClosed } = narrow(-1);
  const lines = new LineSocket(socket);
  lines.send({ a: 1 });
  lines.close();
  expect(isClosed()).toBe(true);
});
