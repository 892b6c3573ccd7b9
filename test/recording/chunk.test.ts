import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  digestOfChunk,
  digestText,
  emptyChain,
  extendChain,
  packChunk,
  packChunkAside,
  unpackChunk,
} from "../../src/recording/chunk.ts";

test("a chunk is smaller when it is packed, and comes back", () => {
  const text = Buffer.from("the same line\r\n".repeat(2_000));
  const packed = packChunk(text);
  expect(packed.length).toBeLessThan(text.length / 10);
  expect(Buffer.from(unpackChunk(packed))).toEqual(text);
});

test("a chunk that another thread packs is the same", async () => {
  const text = new TextEncoder().encode("the same line\r\n".repeat(2_000));
  expect(Buffer.from(await packChunkAside(text))).toEqual(Buffer.from(packChunk(text)));
});

test.each([
  { name: "no chunk", packed: Buffer.from("hello") },
  { name: "cut short", packed: packChunk(Buffer.from("hello ".repeat(100))).subarray(0, -4) },
  { name: "a bomb", packed: packChunk(new Uint8Array(50_000_000)) },
])("what is $name is refused", ({ packed }) => {
  expect(() => unpackChunk(packed)).toThrow(expect.objectContaining({ code: "ERR_STATE_DAMAGED" }));
});

test("the chain is SHA-256 over the link before and the chunk's digest", () => {
  const sha = (data: Uint8Array) => createHash("sha256").update(data).digest();
  const [a, b] = [Buffer.from("a"), Buffer.from("b")];
  const chain = [a, b].map(digestOfChunk).reduce(extendChain, emptyChain());
  const want = sha(Buffer.concat([sha(Buffer.concat([Buffer.alloc(32), sha(a)])), sha(b)]));
  expect(digestText(chain)).toBe(want.toString("base64url"));
});
