import { expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { prepareStateDir, removeUnfinished } from "../../../src/agent/state/state.ts";
import { tempFolder } from "../../support/temp-folder.ts";

test("what a killed process left of a file is removed, and nothing else", async () => {
  const paths = await prepareStateDir(join(tempFolder(), "state"));
  const left = `agent.json.${"a".repeat(20)}.tmp`;
  const kept = ["agent.json", "mine.tmp", "agent.json.damaged-x"];
  for (const name of [left, ...kept]) writeFileSync(join(paths.directory, name), "{");
  writeFileSync(join(paths.publicDirectory, left), "{");
  await removeUnfinished(paths);
  const files = (folder: string) => readdirSync(folder).filter((name) => !["audit", "public"].includes(name));
  expect(files(paths.directory).sort()).toEqual(kept.sort());
  expect(files(paths.publicDirectory)).toEqual([]);
});
