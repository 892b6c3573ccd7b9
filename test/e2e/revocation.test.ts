/** What is no longer allowed ends, whole and at once, with the reason on the terminal. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Lab, type LabAgent, type LabDevice, type Person, policyBody } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

describe.skipIf(!isRoot)("revocation", () => {
  let setUp: SetUp;
  let lab: Lab;
  let account: OsAccount;
  let agent: LabAgent;
  let person: Person;
  let device: LabDevice;
  let devs: string;
  let servers: string;
  let policyId = "";

  beforeAll(async () => {
    setUp = await openSetUp({ accounts: [["rev"]], policies: [], login: false });
    ({ lab, account, devs, servers, person, agent, device } = setUp);
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  const body = () => policyBody("devs", [devs], [servers], { authorized_groups: { [devs]: [account.name] } });

  async function allow(): Promise<void> {
    await lab.setGroups(person, [devs]);
    if (policyId !== "") await lab.api("DELETE", `/api/policies/${policyId}`);
    policyId = (await lab.api<{ id: string }>("POST", "/api/policies", body())).id;
    await device.login();
    await lab.until(
      "access",
      async () => (await device.ssh([`${account.name}@web1`, "true"])).exitCode === 0,
    );
  }

  /** A busy shell with children that ignore TERM and HUP and that left its session. */
  async function busyShell() {
    const terminal = device.terminal(["ssh", `${account.name}@web1`]);
    await terminal.expect(/\$ $/);
    terminal.type("(trap '' TERM HUP; while :; do sleep 0.1; done) & setsid sleep 1000 & echo start''ed\r");
    await terminal.expect(/started/);
    terminal.type("while :; do echo busy; done\r");
    await terminal.expect(/busy\r\nbusy/);
    return terminal;
  }

  async function revokes(change: () => Promise<unknown>, sentence: RegExp): Promise<void> {
    await allow();
    const terminal = await busyShell();
    expect(account.pids().length).toBeGreaterThan(2);
    await change();
    expect(await terminal.end()).toBe(255);
    expect(terminal.text).toMatch(/Access revoked: /);
    expect(terminal.text).toMatch(sentence);
    await lab.until("the processes to be gone", async () => account.pids().length === 0);
    expect((await agent.status()).sshServer.sessions).toEqual([]);
  }

  test("of a blocked person's busy shell", () =>
    revokes(() => lab.setGroups(person, [devs], { is_blocked: true }), /User is blocked/));

  test("by deleting the policy", () =>
    revokes(async () => {
      await lab.api("DELETE", `/api/policies/${policyId}`);
      policyId = "";
    }, /User is not authorized to access this peer/));

  test("by leaving the group", () =>
    revokes(() => lab.setGroups(person, []), /User is not authorized to access this peer/));

  test("by a drop", async () => {
    const drop = policyBody("no", [devs], [servers], { action: "drop" });
    let id = "";
    await revokes(async () => {
      id = (await lab.api<{ id: string }>("POST", "/api/policies", drop)).id;
    }, /A policy denies this access/);
    await lab.api("DELETE", `/api/policies/${id}`);
  });

  test("by a posture check that the device does not meet any more, and not by one that it meets", async () => {
    const check = (min_version: string) => ({
      ...{ name: "new enough", description: "" },
      checks: { nb_version_check: { min_version } },
    });
    const { id } = await lab.api<{ id: string }>("POST", "/api/posture-checks", check("0.0.1"));
    await revokes(async () => {
      const { mapVersion } = (await agent.status()).management;
      const checked = { ...body(), source_posture_checks: [id] };
      await lab.api("PUT", `/api/policies/${policyId}`, checked);
      const isHeard = async () => (await agent.status()).management.mapVersion > mapVersion;
      await lab.until("the map", isHeard);
      await Bun.sleep(300);
      expect((await agent.status()).sshServer.sessions).toHaveLength(1);
      await lab.api("PUT", `/api/posture-checks/${id}`, check("99.0.0"));
    }, /This device does not meet the posture checks|This device may not reach this peer/);
    await lab.api("DELETE", `/api/policies/${policyId}`);
    policyId = "";
    await lab.api("DELETE", `/api/posture-checks/${id}`);
  });

  test("by logging out", () => revokes(() => device.qf(["logout"]), /this login was ended/));

  test("by the machine's own flag", async () => {
    await revokes(() => agent.up(["--allow-server-ssh=false"]), /SSH is disabled for this peer/);
    await agent.up(["--allow-server-ssh"]);
  });

  test("by deleting the device", () =>
    revokes(async () => {
      const peers = await lab.api<{ id: string; kind: string }[]>("GET", "/api/peers");
      for (const peer of peers.filter((one) => one.kind === "device"))
        await lab.api("DELETE", `/api/peers/${peer.id}`);
    }, /this login was ended|This device may not reach this peer/));

  test("an ordinary end leaves background work alone, as sshd does", async () => {
    await allow();
    const marker = join(account.home, "marker");
    const result = await device.ssh([
      `${account.name}@web1`,
      `nohup sh -c 'sleep 1; echo done > ${marker}' >/dev/null 2>&1 &`,
    ]);
    expect(result.exitCode).toBe(0);
    await lab.until(
      "the background job",
      async () => existsSync(marker) && readFileSync(marker, "utf8") === "done\n",
    );
  });

  test("each is in the audit log with its reason", async () => {
    const events = await lab.events("limit=1000");
    const reasons = events
      .filter((event) => event.activity_code === "ssh.connection.close")
      .map((event) => (event.data as { reason?: string } | undefined)?.reason);
    for (const reason of [
      "user_blocked",
      "peer_not_authorized",
      "denied_by_rule",
      "login_revoked",
      "ssh_disabled",
    ]) {
      expect(reasons).toContain(reason);
    }
  });
});
