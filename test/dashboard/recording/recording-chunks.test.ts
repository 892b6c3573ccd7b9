/** Chunks of a recording, asked for from where a page is. */
import { afterEach, expect, test } from "bun:test";
import { chunkTexts } from "../../../src/dashboard/recording/recording-chunks.ts";

const real = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = real;
});

test("it goes on after the last one, and ends where there are no more", async () => {
  const asked: string[] = [];
  globalThis.fetch = (async (url: string) => {
    asked.push(url);
    const isEnd = url.endsWith("from=8");
    const chunk = { number: 7, sha256: "A".repeat(43), data: Buffer.from("é\n").toString("base64") };
    return Response.json({ chunks: isEnd ? [] : [chunk], next: 8, status: "running", encrypted: false });
  }) as unknown as typeof fetch;
  const texts = await Array.fromAsync(chunkTexts("d34", 7, new AbortController().signal));
  expect(texts).toEqual([{ text: "é\n", next: 8 }]);
  expect(asked).toEqual(["/api/recordings/d34/chunks?from=7", "/api/recordings/d34/chunks?from=8"]);
});
