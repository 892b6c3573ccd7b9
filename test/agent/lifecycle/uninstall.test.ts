import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { uninstallAgent } from "../../../src/agent/lifecycle/uninstall.ts";
import { openKeys, prepareStateDir } from "../../../src/agent/state/state.ts";
import { lockState, lockUpgrade } from "../../../src/agent/state/state-lock.ts";
import { tempFolder } from "../../support/temp-folder.ts";

async function aState(): Promise<string> {
  const stateDir = join(tempFolder(), "state");
  const paths = await prepareStateDir(stateDir);
  await openKeys(paths, { mustExist: false });
  for (const lock of [lockState, lockUpgrade]) await (await lock(stateDir)).release();
  for (const path of Object.values(paths)) if (!existsSync(path)) writeFileSync(path, "{}");
  for (const name of ["map.json.damaged-x", "agent.json.y.tmp", "agent.log.1", "versions.json"]) {
    writeFileSync(join(stateDir, name), "{}");
  }
  writeFileSync(join(paths.audit, "00000001"), "");
  return stateDir;
}

test("nothing of a state folder is left", async () => {
  const stateDir = await aState();
  await uninstallAgent({ stateDir, environment: {} });
  expect(existsSync(stateDir)).toBe(false);
  await uninstallAgent({ stateDir, environment: {} });
});

test("what is not ours stays, and the folder with it", async () => {
  const stateDir = await aState();
  writeFileSync(join(stateDir, "notes.txt"), "mine");
  mkdirSync(join(stateDir, "audit-2025"));
  await uninstallAgent({ stateDir, environment: {} });
  expect(readdirSync(stateDir).sort()).toEqual(["audit-2025", "notes.txt"]);
});
