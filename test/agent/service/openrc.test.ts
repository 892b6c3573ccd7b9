import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { initScript, openrcManager } from "../../../src/agent/service/openrc.ts";
import { LAUNCHER } from "../../../src/agent/service/systemd.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { withTools } from "../../support/tools.ts";

describe("the OpenRC service", () => {
  test("is there only where OpenRC runs the machine", () => {
    expect(openrcManager(tempFolder())).toBeNull();
  });

  test("is installed, started at boot, stopped and removed", async () => {
    const root = tempFolder();
    mkdirSync(join(root, "run/openrc"), { recursive: true });
    mkdirSync(join(root, "etc/init.d"), { recursive: true });
    writeFileSync(join(root, "run/openrc/softlevel"), "default");
    const manager = openrcManager(root);
    if (manager === null) throw new Error("there is no manager");
    const path = join(root, "etc/init.d/qufabric");
    const calls = await withTools(["rc-update", "rc-service"], async () => {
      expect(await manager.stop()).toBe(false);
      await manager.start(["/usr/local/bin/qf", "agent", "up"]);
      expect(statSync(path).mode & 0o777).toBe(0o755);
      expect(await manager.stop()).toBe(true);
      await manager.remove();
    });
    expect(calls).toEqual([
      "rc-update --quiet add qufabric default",
      "rc-service --quiet qufabric restart",
      "rc-service --quiet --ifstarted qufabric stop",
      "rc-update --quiet delete qufabric default",
    ]);
    expect(existsSync(path)).toBe(false);
    await manager.remove();
  });

  test("keeps each word of the command one word, through both shells that read it", () => {
    const path = join(tempFolder(), "script");
    writeFileSync(path, initScript(["/opt/it's/qf", "agent", "a b", "$(id)"]));
    const read = `. ${path}; eval "set -- $command_args"; printf '<%s>' "$command" "$@"`;
    const { stdout } = Bun.spawnSync(["/bin/sh", "-c", read]);
    expect(stdout.toString()).toBe(`</bin/sh><-c><${LAUNCHER}><qf-agent></opt/it's/qf><agent><a b><$(id)>`);
    expect(readFileSync(path, "utf8")).toContain("supervisor=supervise-daemon\n");
  });
});
