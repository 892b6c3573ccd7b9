/**
 * An older copy of management's data is put back: machines refuse it until an administrator says that it is
 * meant.
 */
import { expect, test } from "bun:test";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Lab } from "../support/lab.ts";
import { isRoot } from "../support/os-accounts.ts";
import { openSetUp } from "../support/set-up.ts";

const REFUSED = /management has an older map than this machine/;

test.skipIf(!isRoot)(
  "nothing that was revoked since comes back by it, and after qf management new-epoch machines catch up",
  async () => {
    await using setUp = await openSetUp({
      accounts: [["rest"]],
      people: { ada: ["devs"], bob: ["devs"] },
      devices: { adas: "ada", bobs: "bob" },
    });
    const { lab, account, agent, person: ada, device: adas } = setUp;
    const bobs = setUp.deviceNamed("bobs");
    const attempt = (device = adas) => device.ssh([`${account.name}@web1`, "echo in"]);
    expect((await attempt()).stdout).toBe("in\n");
    expect((await attempt(bobs)).stdout).toBe("in\n");

    await lab.management?.stop();
    cpSync(lab.dataDir, join(lab.root, "backup"), { recursive: true, preserveTimestamps: true });
    await lab.serveManagement();
    await lab.until("the link", async () => (await agent.status()).management.connected, 60_000);
    const before = (await agent.status()).management.mapVersion;
    await lab.setGroups(ada, []);
    await lab.until("the change", async () => (await agent.status()).management.mapVersion > before);
    expect(await attempt()).toMatchObject({ exitCode: 255, stdout: "" });
    const terminal = bobs.terminal(["ssh", `${account.name}@web1`]);
    await terminal.expect(/\$ $/);

    // The old copy lets ada in; the machine knows better, and says what is wrong.
    await putBack(lab);
    await lab.until("the state", async () => REFUSED.test((await agent.status()).problems.join()), 60_000);
    expect((await agent.status()).fixes?.join()).toContain("qf management new-epoch");
    expect(lab.managementLog()).toContain("qf management new-epoch");
    expect(await attempt()).toMatchObject({ exitCode: 255, stdout: "" });
    expect((await attempt(bobs)).stdout).toBe("in\n");
    terminal.type("echo al''ive\r");
    await terminal.expect(/alive/);
    // What is changed now counts as little, until that is settled.
    await lab.createGroup("Another");
    expect(await attempt()).toMatchObject({ exitCode: 255, stdout: "" });

    const inUse = await newEpoch(lab);
    expect(inUse.exitCode).toBe(1);
    expect(inUse.stderr).toMatch(/^qf: error: .*\n/);
    await lab.management?.stop();
    const done = await newEpoch(lab);
    expect(done.stderr).toBe("");
    const { epoch } = JSON.parse(done.stdout);
    await lab.serveManagement();
    const isTaken = async () => {
      const { management, problems } = await agent.status();
      return management.connected && management.error === null && !REFUSED.test(problems.join());
    };
    await lab.until("the old map", isTaken, 60_000);
    await lab.until("ada, as the copy has it", async () => (await attempt()).exitCode === 0);
    await lab.setGroups(ada, []);
    await lab.until("ada to be out again", async () => (await attempt()).exitCode !== 0);

    // The same copy a second time is older again.
    await putBack(lab);
    await lab.until("the state", async () => REFUSED.test((await agent.status()).problems.join()), 60_000);
    expect(await attempt()).toMatchObject({ exitCode: 255, stdout: "" });
    await lab.management?.stop();
    expect(JSON.parse((await newEpoch(lab)).stdout).epoch).toBeGreaterThan(epoch);
    await lab.serveManagement();
    await lab.until("the old map", isTaken, 60_000);

    // Evidence of what happened meanwhile has come, and what the copy lacks was sent again: there is no gap.
    await lab.until("the evidence", async () => {
      const codes = (await lab.events("limit=1000")).map(({ activity_code }) => activity_code);
      const wanted = ["management.epoch", "ssh.session.end", "agent.batch"];
      return wanted.every((code) => codes.includes(code)) && !codes.includes("agent.gap");
    });
    terminal.process.kill();
  },
  400_000,
);

async function putBack(lab: Lab): Promise<void> {
  await lab.management?.stop();
  rmSync(lab.dataDir, { recursive: true });
  cpSync(join(lab.root, "backup"), lab.dataDir, { recursive: true, preserveTimestamps: true });
  await lab.serveManagement();
}

function newEpoch(lab: Lab) {
  return lab.qf(["management", "new-epoch", "--data-dir", lab.dataDir]);
}
