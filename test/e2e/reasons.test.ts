/** A rule that wants a reason, met by qf ssh, OpenSSH and scp, with and without a terminal. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import { type Lab, type LabDevice, type LabEvent, openLab } from "../support/lab.ts";
import { LabTerminal } from "../support/lab-terminal.ts";
import { isRoot, OsAccount } from "../support/os-accounts.ts";
import { runProcess } from "../support/run-process.ts";

const DENIED = "This access needs a reason";
const NEXT_STEP = "qf ssh --reason";

describe.skipIf(!isRoot)("a rule that wants a reason", () => {
  let lab: Lab;
  let account: OsAccount;
  let device: LabDevice;
  let qfTarget: string;
  let sshTarget: string;

  beforeAll(async () => {
    account = new OsAccount("reason");
    lab = await openLab();
    const devs = await lab.createGroup("Developers");
    const servers = await lab.createGroup("Servers");
    const ada = await lab.createPerson("ada@example.com", [devs]);
    await lab.createPolicy("devs", [devs], [servers], {
      authorized_groups: { [devs]: [account.name] },
      ssh: { require_reason: true, sftp: "write" },
    });
    await lab.startAgent("web1", { groups: [servers], args: ["--enable-ssh-sftp"] });
    device = lab.device(ada, "laptop");
    await device.login();
    qfTarget = `${account.name}@web1`;
    sshTarget = `${account.name}@web1.qf.internal`;
  }, 120_000);

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
    account?.[Symbol.dispose]();
  });

  /** Without a controlling terminal, wherever the tests run. */
  const alone = (command: readonly string[], env: Record<string, string> = {}) =>
    runProcess(["setsid", "--wait", ...command], { env: lab.env(device.env(env)), cwd: lab.root });

  const qfSsh = (args: readonly string[], env: Record<string, string> = {}) =>
    alone([lab.executable, "ssh", ...args, qfTarget, "echo in"], env);

  /** The file for `-F`. */
  function config(): string {
    const path = join(device.configDir, "openssh-config");
    const { executable } = lab;
    const { configDir } = device;
    writeFileSync(path, renderDropIn({ executable, domain: "qf.internal", configDir, shortNames: false }));
    return path;
  }

  /** Waits for events of `code` with `reason`, and gives the bodies. */
  const eventsWith = (code: string, reason: string): Promise<LabEvent[]> =>
    lab.until(`${code} with its reason`, async () => {
      const found = (await lab.events()).filter(
        (event) => event.activity_code === code && event.meta.access_reason === reason,
      );
      return found.length > 0 ? found : undefined;
    });

  test("refuses who gives none, and says how to give one", async () => {
    const result = await qfSsh([]);
    expect(result).toMatchObject({ exitCode: 255, stdout: "" });
    expect(result.stderr).toContain(DENIED);
    expect(result.stderr).toContain(NEXT_STEP);
    expect(result.stderr).toMatch(/receipt [a-z0-9]{20}/);
  });

  test.each([
    ["an empty one", ""],
    ["white space", "   "],
    ["2,000 characters", "a".repeat(2_000)],
    ["an escape sequence", "abc\u001b[2J"],
    ["two lines", "abc\ndef"],
  ])("refuses %s before anything is asked", async (_name, reason) => {
    const result = await qfSsh(["--reason", reason]);
    expect(result.stdout).toBe("");
    expect(result.exitCode).not.toBe(0);
    expect(result.stderr).toContain("one printable line of 3 to 256 characters");
  });

  test("lets in with --reason, and stores it in the events of connection, session and certificate", async () => {
    const reason = `OPS-142: "disk" is full, $(id)`;
    expect(await qfSsh(["--reason", reason])).toMatchObject({ exitCode: 0, stdout: "in\n" });
    const [opened] = await eventsWith("ssh.connection.open", reason);
    expect(opened?.data).toMatchObject({ accessReason: reason });
    const [started] = await eventsWith("ssh.session.start", reason);
    expect(started?.data).toMatchObject({ accessReason: reason });
    await eventsWith("certificate.issue", reason);
    const tail = await lab.qf(["audit", "tail", "--lines", "100"], {
      env: { QF_MANAGEMENT_URL: lab.url, QF_TOKEN: lab.token },
    });
    expect(tail.stdout).toContain(`access_reason=${JSON.stringify(reason)}`);
  }, 60_000);

  test("lets in with QF_REASON, and asks nobody", async () => {
    expect(await qfSsh([], { QF_REASON: "nightly backup" })).toMatchObject({ exitCode: 0, stdout: "in\n" });
    await eventsWith("ssh.connection.open", "nightly backup");
  }, 60_000);

  test("asks on the terminal, once more after an answer that is none", async () => {
    const terminal = device.terminal(["ssh", qfTarget, "echo got in"]);
    await terminal.expect(/Reason for access to \S+: /);
    terminal.type("\n");
    await terminal.expect(/must be one printable line[\s\S]*Reason for access/);
    terminal.type("typed by hand\n");
    await terminal.expect(/got in\r?\n/);
    expect(await terminal.end()).toBe(0);
    await eventsWith("ssh.connection.open", "typed by hand");
  }, 60_000);

  test("BatchMode asks nobody, at a terminal either", async () => {
    const terminal = device.terminal(["ssh", "-o", "BatchMode=yes", qfTarget, "echo got in"]);
    await terminal.expect(/This access needs a reason/);
    expect(await terminal.end()).toBe(255);
    expect(terminal.text).not.toContain("Reason for access");
  }, 60_000);

  test("OpenSSH asks on its terminal, though it is not told which user is meant", async () => {
    const env = lab.env(device.env({ TERM: "xterm" }));
    const terminal = new LabTerminal(["ssh", "-F", config(), sshTarget, "echo got in"], env, lab.root);
    await terminal.expect(/Reason for access to \S+: /);
    terminal.type("through the drop-in\n");
    await terminal.expect(/got in\r?\n/);
    expect(await terminal.end()).toBe(0);
    await eventsWith("ssh.connection.open", "through the drop-in");
  }, 60_000);

  test("ssh and scp without a terminal get the sentence, and are let in while a reason is kept", async () => {
    const file = join(lab.root, "sent");
    writeFileSync(file, "sent\n");
    const to = join(account.home, "arrived");
    const ssh = () => alone(["ssh", "-F", config(), sshTarget, "echo in"]);
    const scp = () => alone(["scp", "-F", config(), file, `${sshTarget}:${to}`]);
    for (const refused of [await ssh(), await scp()]) {
      expect(refused.exitCode).not.toBe(0);
      expect(refused.stderr).toContain(DENIED);
      expect(refused.stderr).toContain("qf reason set");
    }
    expect(existsSync(to)).toBe(false);

    const set = await device.qf(["reason", "set", "--for", "1h", "weekly patches"]);
    expect(set.stdout).toContain("weekly patches");
    expect((await device.qf(["reason", "show"])).stdout).toContain("weekly patches");
    expect(await ssh()).toMatchObject({ exitCode: 0, stdout: "in\n" });
    expect(await scp()).toMatchObject({ exitCode: 0 });
    expect(existsSync(to)).toBe(true);
    await eventsWith("ssh.session.start", "weekly patches");

    // Its time is over: as if none had been set.
    const over = { format: 1, reason: "weekly patches", untilSeconds: 1_700_000_000 };
    writeFileSync(join(device.configDir, "reason.json"), JSON.stringify(over), { mode: 0o600 });
    expect((await ssh()).stderr).toContain(DENIED);

    await device.qf(["reason", "set", "again"]);
    expect((await device.qf(["reason", "clear"])).stdout).toBe("No reason is kept.\n");
    expect((await ssh()).stderr).toContain(DENIED);
  }, 120_000);

  test.skipIf(Bun.which("ansible") === null)(
    "ansible says why it did not get in, and runs on every connection while a reason is kept",
    async () => {
      writeFileSync(join(lab.root, "inventory"), "[all]\none ansible_host=web1.qf.internal n=1\n");
      const ansible = (path: string) =>
        alone(
          [
            ...["ansible", "all", "-i", join(lab.root, "inventory"), "-e", `ansible_user=${account.name}`],
            ...["-e", "ansible_python_interpreter=/usr/bin/python3", "-m", "copy"],
            ...["-a", `content=arrived dest=${path}`],
          ],
          {
            // Its own control socket each: every run is a connection, as of two people's.
            ANSIBLE_SSH_ARGS: `-F ${config()} -o ControlMaster=auto -o ControlPersist=5s`,
            ANSIBLE_SSH_CONTROL_PATH_DIR: `${path}-cp`,
            ANSIBLE_LOCAL_TEMP: join(lab.root, "ansible"),
            ANSIBLE_NOCOLOR: "1",
          },
        );
      const [before, after] = [join(account.home, "before"), join(account.home, "after")];
      const refused = await ansible(before);
      expect(refused.stdout).toContain("UNREACHABLE!");
      // Its ssh has no terminal and its ControlPersist no stderr: the sentence is seen all the same.
      expect(refused.stdout + refused.stderr).toContain(DENIED);
      expect(existsSync(before)).toBe(false);
      await device.qf(["reason", "set", "by ansible"]);
      const run = await ansible(after);
      expect(run.stdout.match(/CHANGED/g) ?? [run.stdout, run.stderr]).toHaveLength(1);
      expect(existsSync(after)).toBe(true);
      const started = await eventsWith("ssh.session.start", "by ansible");
      expect(started.length).toBeGreaterThan(0);
      await device.qf(["reason", "clear"]);
      expect((await ansible(before)).stdout).toContain("UNREACHABLE!");
    },
    180_000,
  );
});
