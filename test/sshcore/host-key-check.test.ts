/** The bytes of a first key exchange, as a server may send them. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { createHostKeyCheck } from "../../src/sshcore/host-key-check.ts";

const VERSION = Buffer.from("SSH-2.0-OpenSSH_9.9 QuFabric\r\n");
const KEY = Buffer.from("the key of the peer");
const OTHER = Buffer.from("the key of a stranger");
const [DISCONNECT, IGNORE, KEXINIT, NEWKEYS, REPLY, GEX_REPLY] = [1, 2, 20, 21, 31, 33];

function packet(type: number, ...strings: readonly Buffer[]): Buffer {
  const fields = strings.flatMap((text) => [uint32(text.length), text]);
  const payload = Buffer.concat([Buffer.of(type), ...fields]);
  const padding = 4 + ((8 - ((payload.length + 9) % 8)) % 8);
  return Buffer.concat([
    uint32(payload.length + padding + 1),
    Buffer.of(padding),
    payload,
    Buffer.alloc(padding),
  ]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

const INIT = packet(KEXINIT, Buffer.alloc(300));
const reply = (key: Buffer) => packet(REPLY, key, Buffer.alloc(32), Buffer.alloc(83));
const GOOD = [VERSION, INIT, reply(KEY), packet(NEWKEYS)];
const AFTER = Buffer.from("what is encrypted, and may look like anything: SSH-2.0-");

test("the right key passes whole, and everything after it", () => {
  const check = createHostKeyCheck([OTHER, KEY]);
  const sent = Buffer.concat([...GOOD, AFTER]);
  expect(check.push(sent)).toEqual(sent);
  expect(check.isDone).toBe(true);
});

test("it passes the same however it comes in pieces, and no packet before it is whole", () => {
  const sent = Buffer.concat([...GOOD, AFTER]);
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: sent.length - 1 }), { maxLength: 12 });
  fc.assert(
    fc.property(cuts, (at) => {
      const check = createHostKeyCheck([KEY]);
      const ends = [...at.sort((a, b) => a - b), sent.length];
      const pieces = ends.map((end, i) => sent.subarray(ends[i - 1] ?? 0, end));
      const passed = pieces.map((piece) => check.push(piece) ?? Buffer.from("refused"));
      expect(Buffer.concat(passed)).toEqual(sent);
      expect(check.isDone).toBe(true);
    }),
  );
});

test("nothing of a reply passes until its key is known to be right", () => {
  const check = createHostKeyCheck([KEY]);
  const before = Buffer.concat([VERSION, INIT]);
  expect(check.push(Buffer.concat([before, reply(KEY).subarray(0, 40)]))).toEqual(before);
  expect(check.isDone).toBe(false);
});

test("a server that disconnects before its key is heard", () => {
  const sent = Buffer.concat([VERSION, INIT, packet(DISCONNECT, Buffer.from("busy"))]);
  const check = createHostKeyCheck([KEY]);
  expect(check.push(sent)).toEqual(sent);
  expect(check.isDone).toBe(false);
});

const truncated = Buffer.concat([uint32(12), Buffer.of(6, REPLY, 0, 0, 0, 200), Buffer.alloc(6)]);
const manyPadding = Buffer.concat([uint32(12), Buffer.of(255, REPLY), Buffer.alloc(10)]);
test.each([
  ["another key", [VERSION, INIT, reply(OTHER)]],
  ["a key that begins as the right one", [VERSION, INIT, reply(Buffer.concat([KEY, Buffer.of(0)]))]],
  ["a key that ends too soon", [VERSION, INIT, reply(KEY.subarray(1))]],
  ["an empty key", [VERSION, INIT, reply(Buffer.alloc(0))]],
  ["no key in the reply", [VERSION, INIT, packet(REPLY)]],
  ["a key longer than its message", [VERSION, INIT, truncated]],
  ["more padding than packet", [VERSION, INIT, manyPadding]],
  ["a second reply, with another key", [VERSION, INIT, reply(KEY), reply(OTHER)]],
  ["the message of a group exchange after it", [VERSION, INIT, reply(KEY), packet(GEX_REPLY, OTHER)]],
  ["a group exchange's reply in its place", [VERSION, INIT, packet(GEX_REPLY, KEY)]],
  ["NEWKEYS without a reply", [VERSION, INIT, packet(NEWKEYS)]],
  ["a reply without KEXINIT", [VERSION, reply(KEY)]],
  ["KEXINIT twice", [VERSION, INIT, INIT]],
  ["IGNORE before the key", [VERSION, packet(IGNORE, KEY)]],
  ["an empty packet", [VERSION, INIT, Buffer.concat([uint32(0), Buffer.alloc(8)])]],
  ["a packet of 35,001 bytes", [VERSION, uint32(35_001)]],
  ["a line before the version", [Buffer.from("hello\r\n"), VERSION]],
  ["a version without CR", [Buffer.from("SSH-2.0-x\n"), INIT]],
  ["a CR within the version", [Buffer.from("SSH-2.0-x\ry\r\n"), INIT]],
  ["SSH 1.99", [Buffer.from("SSH-1.99-x\r\n"), INIT]],
  ["a version without end", [Buffer.alloc(256, "S")]],
] as const)("nothing passes any more after %s", (_what, pieces) => {
  const check = createHostKeyCheck([KEY]);
  expect(check.push(Buffer.concat(pieces))).toBeNull();
  expect(check.push(Buffer.concat(GOOD))).toBeNull();
  expect(check.isDone).toBe(false);
});

test("without a key from management nothing passes", () => {
  expect(createHostKeyCheck([]).push(Buffer.concat(GOOD))).toBeNull();
});
