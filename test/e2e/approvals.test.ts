/** A rule that wants an approval: the person waits at a terminal, another decides, and takes it back. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import { type Lab, type LabDevice, openLab } from "../support/lab.ts";
import { LabTerminal } from "../support/lab-terminal.ts";
import { isRoot, OsAccount } from "../support/os-accounts.ts";

/** Others use the processors too. */
const PATIENCE_MS = 60_000;

describe.skipIf(!isRoot)("a rule that wants an approval", () => {
  let lab: Lab;
  let account: OsAccount;
  let ada: LabDevice;
  let bob: LabDevice;

  beforeAll(async () => {
    account = new OsAccount("approve");
    lab = await openLab();
    const devs = await lab.createGroup("Developers");
    const leads = await lab.createGroup("Leads");
    const servers = await lab.createGroup("Servers");
    const people = {
      ada: await lab.createPerson("ada@example.com", [devs]),
      bob: await lab.createPerson("bob@example.com", [devs, leads]),
    };
    await lab.createPolicy("devs", [devs], [servers], {
      authorized_groups: { [devs]: [account.name] },
      ssh: { require_approval: true, require_reason: true },
      approver_groups: [leads],
    });
    await lab.startAgent("web1", { groups: [servers] });
    ada = lab.device(people.ada, "ada");
    bob = lab.device(people.bob, "bob");
    await Promise.all([ada.login(), bob.login()]);
  }, 180_000);

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
    account?.[Symbol.dispose]();
  });

  /** The one request that waits for bob. */
  const waiting = (): Promise<{ id: string }> =>
    lab.until("a request that waits", async () => {
      const { stdout } = await bob.qf(["access", "list", "--decide", "--json"]);
      const [request] = JSON.parse(stdout) as { id: string; local_user: string; reason: string }[];
      return request;
    });

  test("lets in who waited, once another approves, and ends the connection when that is taken back", async () => {
    const terminal = ada.terminal(["ssh", "--reason", "disk is full", `${account.name}@web1`]);
    await terminal.expect(/needs an approval, by a member of Leads: \S+\/requests\/\S+/, PATIENCE_MS);
    const request = await waiting();
    expect(request).toMatchObject({
      ...{ local_user: account.name, reason: "disk is full" },
      ...{ user: { email: "ada@example.com" }, machine: { name: "web1" } },
    });
    const own = await ada.qf(["access", "approve", request.id, "--yes"]);
    expect(own.stderr).toContain("their own request");
    const approved = await bob.qf(["access", "approve", request.id, "--for", "10m", "--yes"]);
    expect(approved.stdout).toContain("approved until");
    await terminal.expect(/approved by \S+, until/, PATIENCE_MS);
    // It is in before it is taken back.
    terminal.type("echo in-$((40 + 2))\n");
    await terminal.expect(/in-42/, PATIENCE_MS);
    const ended = await bob.qf(["access", "end", request.id]);
    expect(ended.stdout).toContain(`ended ${account.name}@web1`);
    await terminal.expect(/This access needs an approval/, PATIENCE_MS);
    expect(await terminal.end(PATIENCE_MS)).toBe(255);
    const again = await bob.qf(["access", "approve", request.id, "--yes"]);
    expect(again.stderr).toContain("has ended already");
  }, 240_000);

  test("OpenSSH waits as well, and gets the approver's words with a denial", async () => {
    const { executable } = lab;
    const { configDir } = ada;
    const config = join(configDir, "openssh-config");
    writeFileSync(config, renderDropIn({ executable, domain: "qf.internal", configDir, shortNames: false }));
    const env = lab.env(ada.env({ TERM: "xterm", QF_REASON: "disk is full" }));
    const command = ["ssh", "-F", config, `${account.name}@web1.qf.internal`, "echo in"];
    const terminal = new LabTerminal(command, env, lab.root);
    await terminal.expect(new RegExp(`${account.name}@web1 needs an approval`), PATIENCE_MS);
    const { id } = await waiting();
    const denied = await bob.qf(["access", "deny", id, "--reason", "use web2 instead"]);
    expect(denied.stdout).toContain("denied");
    await terminal.expect(/has denied \S+: use web2 instead/, PATIENCE_MS);
    expect(await terminal.end(PATIENCE_MS)).toBe(255);
  }, 180_000);
});
