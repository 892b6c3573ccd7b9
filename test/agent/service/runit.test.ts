import { describe, expect, test } from "bun:test";
import { existsSync, lstatSync, mkdirSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { runitManager, runScript } from "../../../src/agent/service/runit.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { withTools } from "../../support/tools.ts";

describe("the runit service", () => {
  test.each([[[]], [["etc/runit"]], [["var/service"]]])("is not there with %p alone", (folders) => {
    const root = tempFolder();
    for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
    expect(runitManager(root)).toBeNull();
  });

  test.each(["var/service", "etc/service"])(
    "is installed, started anew, stopped and removed in %s",
    async (active) => {
      const root = tempFolder();
      for (const folder of ["etc/runit", active]) mkdirSync(join(root, folder), { recursive: true });
      const manager = runitManager(root);
      if (manager === null) throw new Error("there is no manager");
      const link = join(root, active, "qufabric");
      const calls = await withTools(["sv"], async () => {
        expect(await manager.stop()).toBe(false);
        await manager.start(["/usr/local/bin/qf", "agent", "up"]);
        expect(readlinkSync(link)).toBe(join(root, "etc/sv/qufabric"));
        expect(statSync(join(link, "run")).mode & 0o777).toBe(0o755);
        await manager.start(["/usr/local/bin/qf", "agent", "up"]);
        expect(await manager.stop()).toBe(true);
        await manager.remove();
      });
      expect(calls).toEqual([
        `sv -w 20 restart ${link}`,
        `sv -w 20 force-stop ${link}`,
        `sv exit ${join(root, "etc/sv/qufabric")}`,
      ]);
      expect(lstatSync(link, { throwIfNoEntry: false })).toBeUndefined();
      expect(existsSync(join(root, "etc/sv/qufabric"))).toBe(false);
    },
  );

  // It writes its state until it ends: removed meanwhile, the folder would be there again.
  test("has stopped only when runsv has ended", async () => {
    const root = tempFolder();
    for (const folder of ["etc/runit", "etc/service"]) mkdirSync(join(root, folder), { recursive: true });
    const manager = runitManager(root);
    if (manager === null) throw new Error("there is no manager");
    const link = join(root, "etc/service/qufabric");
    const order: string[] = [];
    await withTools(["sv"], async () => {
      await manager.start(["/usr/local/bin/qf", "agent", "up"]);
      const supervise = join(root, "etc/sv/qufabric/supervise");
      mkdirSync(supervise);
      const reads =
        'mkfifo "$1/ok"; exec 3<>"$1/ok"; echo up; while [ -L "$2" ]; do sleep 0.1; done; sleep 0.3';
      const runsv = Bun.spawn(["/bin/sh", "-c", reads, "runsv", supervise, link], { stdout: "pipe" });
      await runsv.stdout.getReader().read();
      const ended = runsv.exited.then(() => order.push("runsv ended"));
      await manager.stop();
      order.push("stopped");
      await ended;
    });
    expect(order).toEqual(["runsv ended", "stopped"]);
  });

  test("starts the program with its words as they are", () => {
    const script = runScript(["/opt/it's/qf", "a b"]);
    expect(script).toContain(` 'qf-agent' '/opt/it'\\''s/qf' 'a b' >>`);
    expect(Bun.spawnSync(["/bin/sh", "-n", "-c", script]).exitCode).toBe(0);
  });
});
