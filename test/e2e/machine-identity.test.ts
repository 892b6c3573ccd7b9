/** `--disable-ssh-auth` and agents without root. */
import { expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { sentenceOf } from "../../src/policy/sentences.ts";
import { isRoot } from "../support/os-accounts.ts";
import { runProcess } from "../support/run-process.ts";
import { openSetUp } from "../support/set-up.ts";

test.skipIf(!isRoot)(
  "machine identity lets in the peers of a tcp rule, audited as that peer",
  async () => {
    await using setUp = await openSetUp({
      accounts: [["mach"]],
      policies: [{ name: "ssh", rule: { authorized_groups: {} } }],
      machines: { web1: ["--disable-ssh-auth"] },
    });
    const { lab, account, devs, servers, agent, device } = setUp;

    const refused = await device.ssh([`${account.name}@web1`, "true"]);
    expect(refused.exitCode).toBe(255);
    expect(refused.stderr).toContain(sentenceOf("peer_not_authorized").sentence);

    await lab.createPolicy("net", [devs], [servers], { protocol: "tcp", ports: ["22"] });
    await lab.until(
      "access",
      async () => (await device.ssh([`${account.name}@web1`, "id -un"])).stdout === `${account.name}\n`,
    );

    const root = await device.ssh(["root@web1", "true"]);
    expect(root.exitCode).toBe(255);
    expect(root.stderr).toContain(sentenceOf("root_disabled").sentence);

    const opened = await lab.until("the event", async () =>
      (await lab.events()).find((event) => event.activity_code === "ssh.connection.open"),
    );
    expect(opened.data).toMatchObject({ userId: null });
    await agent.up(["--disable-ssh-auth=false"]);
    expect((await device.ssh([`${account.name}@web1`, "id -un"])).stdout).toBe(`${account.name}\n`);
  },
  120_000,
);

test.skipIf(!isRoot)(
  "an agent without root serves its own user and says so to others",
  async () => {
    await using setUp = await openSetUp({
      accounts: [["less"], ["more"]],
      policies: [{ name: "ssh", rule: { authorized_groups: {} } }],
      machines: {},
      login: false,
    });
    const { lab, account: own, servers, device } = setUp;
    const other = setUp.accountNamed("more");
    const key = await lab.createSetupKey([servers]);
    chmodSync(lab.root, 0o755);
    const state = join(lab.root, "agent-less");
    mkdirSync(state);
    const ids = (await runProcess(["id", "-u", own.name], { env: lab.env() })).stdout.trim();
    chownSync(state, Number(ids), Number(ids));
    const bin = join(own.home, "qf");
    await Bun.write(bin, Bun.file(lab.executable));
    chmodSync(bin, 0o755);
    const up = [
      bin,
      "agent",
      "up",
      "--state-dir",
      state,
      "--management-url",
      lab.url,
      "--setup-key",
      key,
      "--listen",
      "127.0.0.1:0",
      "--name",
      "less",
      "--allow-server-ssh",
    ];
    const result = await runProcess(
      ["setpriv", `--reuid=${ids}`, `--regid=${ids}`, "--clear-groups", ...up],
      {
        env: { ...lab.env(), HOME: own.home },
        cwd: own.home,
      },
    );
    expect(result).toMatchObject({ exitCode: 0 });
    await device.login();
    expect((await device.ssh([`${own.name}@less`, "id -un"])).stdout).toBe(`${own.name}\n`);
    for (const name of [other.name, "root"]) {
      const refused = await device.ssh([`${name}@less`, "id -un"]);
      expect(refused).toMatchObject({ exitCode: 255, stdout: "" });
      expect(refused.stderr).toMatch(/serves its own user only|root login is disabled/);
    }
  },
  120_000,
);
