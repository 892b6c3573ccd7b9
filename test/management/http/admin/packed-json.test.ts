import { expect, test } from "bun:test";
import { Hono } from "hono";
import { encodingFor, packedJson } from "../../../../src/management/http/admin/packed-json.ts";

test.each([
  ["gzip, deflate, br, zstd", "zstd"],
  ["gzip", "gzip"],
  ["GZip;q=0.5, *;q=0", "gzip"],
  ["zstd;q=0, gzip;q=1.0", "gzip"],
  ["zstd; q=0.0", null],
  ["gzipped, xzstd", null],
  ["identity", null],
  ["", null],
] as const)("of %p it takes %p", (header, encoding) => {
  expect(encodingFor(header)).toBe(encoding);
});

const LONG = Array.from({ length: 4_000 }, (_, i) => ({ id: `peer-${i}`, name: "grün" }));
const SHORT = LONG.slice(0, 3);
const app = new Hono();
app.get("/long", (c) => packedJson(c, LONG));
app.get("/short", (c) => packedJson(c, SHORT));
const ask = (path: string, encoding?: string) =>
  app.request(path, encoding === undefined ? {} : { headers: { "accept-encoding": encoding } });

test.each([
  ["zstd", (bytes: Uint8Array<ArrayBuffer>) => Bun.zstdDecompressSync(bytes)],
  ["gzip", (bytes: Uint8Array<ArrayBuffer>) => Bun.gunzipSync(bytes)],
])("a long list goes in %s, whole and far shorter", async (encoding, unpack) => {
  const response = await ask("/long", `br, ${encoding}`);
  const name = (header: string) => response.headers.get(header);
  expect([name("content-encoding"), name("vary"), name("content-type")]).toEqual([
    ...[encoding, "Accept-Encoding", "application/json"],
  ]);
  const packed = new Uint8Array(await response.arrayBuffer());
  const text = new TextDecoder().decode(unpack(packed));
  expect(JSON.parse(text)).toEqual(LONG);
  expect(packed.length).toBeLessThan(text.length / 4);
});

test.each([
  ["a client that takes no encoding has a long list as it is", "/long", undefined, LONG],
  ["a short list is sent as it is", "/short", "gzip, zstd", SHORT],
])("%s", async (_what, path, encoding, items) => {
  const response = await ask(path, encoding);
  expect(response.headers.get("content-encoding")).toBeNull();
  expect(response.headers.get("content-type")).toStartWith("application/json");
  expect(await response.json()).toEqual(items);
});
