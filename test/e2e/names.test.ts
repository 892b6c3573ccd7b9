/**
 * By which names a machine is reached: full name and address always, its label alone as far as admins say so.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import type { Lab, LabAgent, LabDevice } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { runProcess } from "../support/run-process.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

describe.skipIf(!isRoot)("a machine's name", () => {
  let setUp: SetUp;
  let lab: Lab;
  let deploy: OsAccount;
  let web: LabAgent;
  let servers: string;
  let laptop: LabDevice;
  let config: string;

  beforeAll(async () => {
    setUp = await openSetUp({ accounts: [["deploy"]], machines: { gitlab: [] } });
    ({ lab, account: deploy, servers, agent: web, device: laptop } = setUp);
    config = join(lab.root, "openssh-config");
    const { executable } = lab;
    const { configDir } = laptop;
    writeFileSync(config, renderDropIn({ executable, domain: "qf.internal", configDir, shortNames: true }));
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  const openssh = (host: string) => {
    const command = ["ssh", "-F", config, "-o", "BatchMode=yes", `${deploy.name}@${host}`, "echo here"];
    return runProcess(command, { env: lab.env(laptop.env()), cwd: lab.root });
  };
  const admin = (...args: string[]) =>
    lab.qf(args, { env: { QF_MANAGEMENT_URL: lab.url, QF_TOKEN: lab.token } });
  const idOf = async (agent: LabAgent) => (await agent.status()).self?.peerId ?? "";

  test("and its address lead there, with qf ssh and with OpenSSH", async () => {
    const { address } = (await web.status()).self ?? { address: "" };
    for (const host of ["gitlab", "gitlab.qf.internal", address]) {
      expect((await laptop.ssh([`${deploy.name}@${host}`, "echo here"])).stdout).toBe("here\n");
    }
    for (const host of ["gitlab.qf.internal", address]) expect((await openssh(host)).stdout).toBe("here\n");
  });

  test("without the domain leads OpenSSH there only once an administrator has confirmed it", async () => {
    const before = await openssh("gitlab");
    expect(before.exitCode).toBe(255);
    expect(before.stderr).toContain("Could not resolve hostname gitlab");
    expect((await admin("peer", "update", "gitlab", "--confirm-name")).exitCode).toBe(0);
    await laptop.login();
    expect((await openssh("gitlab")).stdout).toBe("here\n");
  });

  test("is forgotten by OpenSSH when the administrator takes it back", async () => {
    expect((await admin("peer", "update", "gitlab", "--confirm-name=false")).exitCode).toBe(0);
    // The connection that is made by the full name hears of it.
    expect((await openssh("gitlab.qf.internal")).stdout).toBe("here\n");
    expect((await openssh("gitlab")).stderr).toContain("Could not resolve hostname gitlab");
  });

  test("is not another machine's: a second one gets a suffix, a gone one's stays reserved until released", async () => {
    const second = await lab.startAgent("gitlab-two", { groups: [servers], args: ["--name", "gitlab"] });
    expect((await second.status()).self?.fullName).toBe("gitlab-2.qf.internal");
    await lab.api("DELETE", `/api/peers/${await idOf(web)}`);
    const third = await lab.startAgent("gitlab-three", { groups: [servers], args: ["--name", "gitlab"] });
    expect((await third.status()).self?.fullName).toBe("gitlab-3.qf.internal");
    expect((await openssh("gitlab.qf.internal")).exitCode).toBe(255);
    expect((await admin("peer", "release-name", "gitlab")).stdout).toBe("released the name gitlab\n");
    expect((await admin("peer", "release-name", "gitlab")).exitCode).toBe(1);
    const fourth = await lab.startAgent("gitlab-four", { groups: [servers], args: ["--name", "gitlab"] });
    expect((await fourth.status()).self?.fullName).toBe("gitlab.qf.internal");
    await laptop.login();
    expect((await openssh("gitlab.qf.internal")).stdout).toBe("here\n");
    expect((await openssh("gitlab")).stderr).toContain("Could not resolve hostname gitlab");
  }, 60_000);

  test("given by an administrator is confirmed by that", async () => {
    const body = { name: "forge", ssh_enabled: true };
    const rest = { login_expiration_enabled: false, inactivity_expiration_enabled: false };
    const [peer] = await lab.api<{ id: string }[]>("GET", "/api/peers?name=gitlab-3");
    const changed = await lab.api("PUT", `/api/peers/${peer?.id}`, { ...body, ...rest });
    expect(changed).toMatchObject({ name: "forge", name_confirmed: true });
    await laptop.login();
    expect((await openssh("forge")).stdout).toBe("here\n");
  });

  test("that is a shell's or ssh_config's to read is shown, and reaches neither", async () => {
    const mark = join(lab.root, "MARK");
    const shown = `$(touch ${mark}); ProxyCommand touch ${mark}`;
    const rest = { login_expiration_enabled: false, inactivity_expiration_enabled: false };
    const [peer] = await lab.api<{ id: string }[]>("GET", "/api/peers?name=forge");
    const path = `/api/peers/${peer?.id}`;
    const changed = await lab.api<{ name: string; dns_label: string }>("PUT", path, {
      ...{ name: shown, ssh_enabled: true },
      ...rest,
    });
    const label = changed.dns_label.split(".")[0] ?? "";
    expect([changed.name, label]).toEqual([shown, expect.stringMatching(/^touch-[a-z0-9-]{1,57}$/)]);
    await laptop.login();
    expect((await openssh(label)).stdout).toBe("here\n");
    expect((await laptop.ssh([`${deploy.name}@${label}`, "echo here"])).stdout).toBe("here\n");
    expect((await admin("peer", "list")).stdout).toContain(shown);
    const found = Bun.spawnSync(["grep", "-rlF", "ProxyCommand touch", lab.root, "--exclude-dir=management"]);
    expect(found.stdout.toString()).toBe("");
    expect(existsSync(mark)).toBe(false);
  });
});
