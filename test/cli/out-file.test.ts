import { expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { writeLines } from "../../src/cli/out-file.ts";
import { tempFolder } from "../support/temp-folder.ts";

async function* lines(count: number, failAt = Number.POSITIVE_INFINITY) {
  for (let i = 0; i < count; i++) {
    if (i === failAt) throw new Error("no more");
    yield `line ${i}`;
  }
}

test("a file has every line, and is for its owner only", async () => {
  const path = join(tempFolder(), "out");
  await writeLines(path, lines(20_000));
  const written = readFileSync(path, "utf8").split("\n");
  expect([written.length, written[0], written[19_999], written[20_000]]).toEqual([
    20_001,
    "line 0",
    "line 19999",
    "",
  ]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a file that was not written whole is not there", async () => {
  const folder = tempFolder();
  await expect(writeLines(join(folder, "out"), lines(20_000, 15_000))).rejects.toThrow();
  expect(readdirSync(folder)).toEqual([]);
});

test("a file that cannot be written is said to be so", async () => {
  const path = join(tempFolder(), "not-there", "out");
  await expect(writeLines(path, lines(1))).rejects.toMatchObject({ code: "ERR_PERMISSION" });
});
