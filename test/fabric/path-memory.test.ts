import { expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPathMemory, PATHS_FILE } from "../../src/fabric/path-memory.ts";
import { tempFolder } from "../support/temp-folder.ts";

const web = "w".repeat(20);
const db = "d".repeat(20);
const pathOf = (): string => join(tempFolder(), PATHS_FILE);

test("a peer is remembered with its path and the address that answered", async () => {
  const path = pathOf();
  await openPathMemory(path).remember(web, { path: "direct", address: "192.0.2.1:22" }, 100);
  await openPathMemory(path).remember(db, { path: "relay" }, 100);
  const memory = openPathMemory(path);
  expect(await memory.recall(web)).toEqual({ path: "direct", address: "192.0.2.1:22", atSeconds: 100 });
  expect(await memory.recall(db)).toEqual({ path: "relay", atSeconds: 100 });
  expect(await memory.recall("u".repeat(20))).toBeUndefined();
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("the address of a direct path stays known while the relay is used", async () => {
  const memory = openPathMemory(pathOf());
  await memory.remember(web, { path: "direct", address: "192.0.2.1:22" }, 100);
  await memory.remember(web, { path: "relay" }, 200);
  expect(await memory.recall(web)).toEqual({ path: "relay", address: "192.0.2.1:22", atSeconds: 200 });
});

test("what has not changed is not written again at once", async () => {
  const path = pathOf();
  const memory = openPathMemory(path);
  await memory.remember(web, { path: "relay" }, 100);
  const before = readFileSync(path, "utf8");
  await memory.remember(web, { path: "relay" }, 101);
  expect(readFileSync(path, "utf8")).toBe(before);
});

test.each(["", "{", '{"format":2}', "[]"])(
  "a file that holds %j counts as empty, and is replaced",
  async (text) => {
    const path = pathOf();
    writeFileSync(path, text);
    const memory = openPathMemory(path);
    expect(await memory.recall(web)).toBeUndefined();
    await memory.remember(web, { path: "relay" }, 100);
    expect(await openPathMemory(path).recall(web)).toMatchObject({ path: "relay" });
  },
);

test("a folder that is not there is no failure", async () => {
  const memory = openPathMemory(join(tempFolder(), "none", PATHS_FILE));
  await memory.remember(web, { path: "relay" }, 100);
  expect(await memory.recall(web)).toBeUndefined();
});
