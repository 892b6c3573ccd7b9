import { expect, test } from "bun:test";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSessions, restartAgent } from "../../../src/agent/upgrade/restart-agent.ts";
import { isQfError } from "../../../src/base/errors.ts";
import { tempFolder } from "../../support/temp-folder.ts";

function executable(body: string): string {
  const path = join(tempFolder(), "qf");
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

test("the agent is brought up by the new executable, on its own folder", async () => {
  const stateDir = tempFolder();
  expect(await openSessions(stateDir)).toBeNull();
  const path = executable(`echo "$*" > ${stateDir}/called; [ -z "$QF_STATE_DIR" ]`);
  await restartAgent(path, stateDir, { PATH: "/usr/bin:/bin", QF_STATE_DIR: "/elsewhere" });
  expect(readFileSync(join(stateDir, "called"), "utf8")).toBe(`agent up --state-dir ${stateDir}\n`);
});

test("what it says when it does not come up is the reason", async () => {
  const path = executable('echo "qf: note: first" >&2; echo "qf: error: port taken" >&2; exit 1');
  const error = await restartAgent(path, tempFolder(), {}).catch((cause: unknown) => cause);
  expect(isQfError(error, "ERR_UNAVAILABLE") && error.message).toBe("port taken");
});
