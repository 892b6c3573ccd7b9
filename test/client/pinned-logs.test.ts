import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pinnedLog } from "../../src/client/pinned-logs.ts";
import { tempFolder } from "../support/temp-folder.ts";

const key = "A".repeat(43);

test("the key of a log that this device has met is that of its name only", async () => {
  const folder = tempFolder();
  const environment = { QF_CONFIG_DIR: folder };
  expect(await pinnedLog(environment, "a/qufabric/b")).toEqual({ keys: [], checkpoints: [] });
  const logs = { "a/qufabric/b": { key, note: "note" } };
  writeFileSync(join(folder, "logs.json"), JSON.stringify({ format: 1, logs }));
  expect(await pinnedLog(environment, "a/qufabric/b")).toEqual({
    keys: [{ name: "a/qufabric/b", publicKey: key }],
    checkpoints: ["note"],
  });
  expect(await pinnedLog(environment, "a/qufabric/c")).toEqual({ keys: [], checkpoints: [] });
});
