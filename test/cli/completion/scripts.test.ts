import { expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { COMPLETION_SCRIPTS } from "../../../src/cli/completion/scripts.ts";
import { tempFolder } from "../../support/temp-folder.ts";

test("there is a script for each shell that docs name, and none is empty", () => {
  expect(Object.keys(COMPLETION_SCRIPTS)).toEqual(["bash", "zsh", "fish"]);
  for (const script of Object.values(COMPLETION_SCRIPTS)) expect(script).toContain("__complete");
});

test("bash asks the program that is typed, with its word breaks and the line up to the cursor", () => {
  const folder = tempFolder();
  const qf = join(folder, "qf");
  writeFileSync(qf, `#!/bin/sh\necho nospace\nprintf '%s\\n' "$1 $2" "$4"\n`);
  chmodSync(qf, 0o755);
  const script = `${COMPLETION_SCRIPTS.bash}
COMP_LINE="$1 user x --more"; COMP_POINT=$((\${#COMP_LINE} - 7))
_qf "$1" 2>/dev/null
printf '%s|' "\${COMPREPLY[@]}"`;
  const { stdout } = Bun.spawnSync(["bash", "-c", script, "bash", qf]);
  expect(stdout.toString()).toBe(`__complete bash|${qf} user x|`);
});
