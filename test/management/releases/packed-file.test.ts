import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256OfFile } from "../../../src/management/releases/own-release.ts";
import { createPackedFiles } from "../../../src/management/releases/packed-file.ts";
import { tempFolder } from "../../support/temp-folder.ts";

test("a file is packed once, and read back as it was; those of other files go", async () => {
  const home = tempFolder();
  const source = join(home, "qf");
  const folder = join(home, "packed");
  const text = "a build ".repeat(50_000);
  writeFileSync(source, text);
  const digest = await sha256OfFile(source);
  const packed = createPackedFiles(folder);
  const [zstd, gzip, again] = await Promise.all([
    packed.pathOf(source, digest, "zst"),
    packed.pathOf(source, digest, "gz"),
    packed.pathOf(source, digest, "zst"),
  ]);
  expect(again).toBe(zstd);
  expect(Bun.zstdDecompressSync(readFileSync(zstd)).toString()).toBe(text);
  expect(Buffer.from(Bun.gunzipSync(readFileSync(gzip))).toString()).toBe(text);
  writeFileSync(source, "another");
  await createPackedFiles(folder).pathOf(source, await sha256OfFile(source), "gz");
  expect(existsSync(zstd)).toBe(false);
  expect(readdirSync(folder)).toHaveLength(1);
});

test("a source that is not there fails, and leaves nothing", async () => {
  const home = tempFolder();
  const packed = createPackedFiles(join(home, "packed"));
  const failed = await packed.pathOf(join(home, "none"), "0".repeat(64), "zst").then(
    () => "made",
    () => "failed",
  );
  expect(failed).toBe("failed");
  expect(readdirSync(join(home, "packed"))).toEqual([]);
});
