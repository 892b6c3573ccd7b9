/**
 * Long lists, compressed for clients that take that: ten thousand machines are 15 MB of JSON, and 0.3 MB
 * compressed. Lists hold no secrets that a length could give away: those are shown once, in short answers.
 *
 * @module
 */
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import type { Context } from "hono";

/** Answers shorter than this in characters are sent as they are: they fit a few packets. */
const LONG_CHARS = 64 * 1024;
const LEVEL = 1;
const gzipAsync = promisify(gzip);

type Encoding = "zstd" | "gzip";

/** Answers with `items` as JSON. */
export async function packedJson(c: Context, items: readonly unknown[]): Promise<Response> {
  const text = JSON.stringify(items);
  if (text.length < LONG_CHARS) return c.body(text, 200, { "content-type": "application/json" });
  c.header("Vary", "Accept-Encoding", { append: true });
  const encoding = encodingFor(c.req.header("accept-encoding") ?? "");
  if (encoding === null) return c.body(text, 200, { "content-type": "application/json" });
  const packed = await PACK[encoding](text);
  return c.body(packed as Uint8Array<ArrayBuffer>, 200, {
    "content-type": "application/json",
    "content-encoding": encoding,
  });
}

const PACK: Readonly<Record<Encoding, (text: string) => Promise<Uint8Array>>> = {
  zstd: (text) => Bun.zstdCompress(text, { level: LEVEL }),
  gzip: (text) => gzipAsync(text, { level: constants.Z_BEST_SPEED }),
};

/** The best encoding that an Accept-Encoding header names and does not exclude. Null: none of ours. */
export function encodingFor(header: string): Encoding | null {
  const taken = header
    .toLowerCase()
    .split(",")
    .map((part) => part.split(";").map((word) => word.trim()))
    .filter(([, ...words]) => !words.some((word) => /^q=0(\.0*)?$/.test(word)))
    .map(([name]) => name);
  return (["zstd", "gzip"] as const).find((encoding) => taken.includes(encoding)) ?? null;
}
