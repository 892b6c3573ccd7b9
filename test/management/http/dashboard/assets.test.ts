import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { assetResponse } from "../../../../src/management/http/dashboard/assets.ts";
import { tempFolder } from "../../../support/temp-folder.ts";

const TEXT = "export const answer = 42;\n".repeat(50);

function built() {
  const folder = tempFolder();
  const file = { type: "text/javascript; charset=utf-8", zstd: join(folder, "z"), gzip: join(folder, "g") };
  writeFileSync(file.zstd, Bun.zstdCompressSync(Buffer.from(TEXT)));
  writeFileSync(file.gzip, Bun.gzipSync(Buffer.from(TEXT)));
  return { files: { "main-1.js": file }, script: "main-1.js", style: "main-1.css", preload: [] };
}

function get(path: string, encoding: string, method = "GET") {
  const request = new Request(`https://qf.example.com${path}`, {
    method,
    headers: { "accept-encoding": encoding },
  });
  return assetResponse(built(), request, path);
}

test.each([
  ["zstd, gzip", "zstd"],
  ["gzip, deflate, br", "gzip"],
  ["identity", null],
  ["zstdx", null],
])("to a browser that takes %s it is %p", async (accepted, encoding) => {
  const answer = get("/assets/main-1.js", accepted);
  expect(answer?.headers.get("content-encoding") ?? null).toBe(encoding);
  expect(answer?.headers.get("cache-control")).toContain("immutable");
  const bytes = new Uint8Array((await answer?.arrayBuffer()) ?? new ArrayBuffer());
  const plain =
    encoding === "zstd"
      ? Bun.zstdDecompressSync(bytes)
      : encoding === "gzip"
        ? Bun.gunzipSync(bytes as Uint8Array<ArrayBuffer>)
        : bytes;
  expect(Buffer.from(plain).toString()).toBe(TEXT);
});

test.each([
  "/assets/",
  "/assets/nowhere.js",
  "/assets/../main-1.js",
  "/assets/constructor",
  "/assets/__proto__",
])("there is no %s", (path) => expect(get(path, "gzip")).toBeNull());

test("it is read, and nothing else", () => {
  expect(get("/assets/main-1.js", "gzip", "POST")).toBeNull();
});
