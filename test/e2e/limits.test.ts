/** Limits of `qf agent up` as an administrator sets them and as stock clients meet them. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { sentenceOf } from "../../src/policy/sentences.ts";
import { isRoot } from "../support/os-accounts.ts";
import { openStockMachine, type StockMachine } from "../support/stock-machine.ts";

const hasSsh = Bun.which("ssh") !== null && Bun.which("ssh-keygen") !== null;

describe.skipIf(!isRoot || !hasSsh)("limits of an agent", () => {
  let machine: StockMachine;
  let target = "";

  beforeAll(async () => {
    machine = await openStockMachine();
    target = `${machine.account.name}@127.0.0.1`;
  }, 60_000);

  // A certificate is good for two minutes, and the machine may be slow.
  beforeEach(() => machine.refresh());

  afterAll(async () => {
    await machine?.[Symbol.asyncDispose]();
  });

  const plain = (options: readonly string[], ...command: string[]) =>
    machine.run(["ssh", ...machine.stockOptions, "-p", String(machine.port), ...options, target, ...command]);
  const flags = async () => (await machine.agent.status()).flags;

  test("are kept over a restart, come from the environment too, and go back to their default", async () => {
    await machine.agent.up(["--ssh-max-auth-tries=3", "--ssh-max-startups", "100"]);
    await machine.agent.tryUp([], { QF_SSH_MAX_CHANNELS: "50" });
    await machine.agent.down();
    await machine.agent.up();
    expect(await flags()).toMatchObject({ sshMaxAuthTries: 3, sshMaxStartups: 100, sshMaxChannels: 50 });
    await machine.agent.up(["--ssh-max-auth-tries=", "--ssh-max-startups=", "--ssh-max-channels="]);
    expect(await flags()).toMatchObject({
      sshMaxAuthTries: null,
      sshMaxStartups: null,
      sshMaxChannels: null,
    });
    // The port of any client is a free one of each start.
    await machine.open();
  });

  test.each([
    ["--ssh-max-sessions=many", 'qf: error: --ssh-max-sessions: "many" must be a whole number\n'],
    ["--ssh-login-grace-time=0", 'qf: error: --ssh-login-grace-time: "0" must be at least 1\n'],
    ["--ssh-max-packet-size=1000", 'qf: error: --ssh-max-packet-size: "1000" must be at least 35000\n'],
    ["--ssh-per-source-penalties=often", "must be yes, no, or words such as authfail:5s max:10m\n"],
  ])("that are none are refused in one line: %s", async (flag, says) => {
    const { exitCode, stderr } = await machine.agent.tryUp([flag]);
    expect(exitCode).toBe(2);
    expect(stderr.split("qf: hint:")[0]).toEndWith(says);
  });

  test("on sessions hold for the next connection, while the one that is on keeps what it has", async () => {
    const socket = join(machine.lab.root, "control");
    const master = ["-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o", `ControlPath=${socket}`];
    expect((await plain([...master], "true")).exitCode).toBe(0);
    await machine.agent.up(["--ssh-max-sessions=0"]);
    expect((await plain([...master], "echo still")).stdout).toBe("still\n");
    await plain([...master, "-O", "exit"]);
    const refused = await plain([], "true");
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain("Too many sessions on this connection");
    await machine.agent.up(["--ssh-max-sessions="]);
    expect((await plain([], "echo again")).stdout).toBe("again\n");
  });

  test("on packets let a command of 100 kB through, by ssh and by qf ssh, and can be set lower", async () => {
    const long = ["echo", "through;", `: ${"x".repeat(100_000)}`];
    expect(await plain([], ...long)).toMatchObject({ exitCode: 0, stdout: "through\n" });
    const own = [machine.lab.executable, "ssh", `${machine.account.name}@${machine.host}`, ...long];
    expect(await machine.run(own)).toMatchObject({ exitCode: 0, stdout: "through\n" });
    await machine.agent.up(["--ssh-max-packet-size=50000"]);
    expect((await plain([], ...long)).exitCode).toBe(255);
    await machine.agent.up(["--ssh-max-packet-size="]);
  });

  test("on silence end a connection that is on, with the reason", async () => {
    const waiting = plain([], "sleep 60");
    await machine.lab.until("the session", async () => (await machine.agent.status()).sshServer.sessions[0]);
    await machine.agent.up(["--ssh-idle-timeout=1"]);
    const { exitCode, stderr } = await waiting;
    await machine.agent.up(["--ssh-idle-timeout="]);
    expect(exitCode).toBe(255);
    expect(stderr).toContain(`Access revoked: ${sentenceOf("session_idle").sentence}`);
  });

  test("let an address that keeps failing wait, and nobody who says hello from there", async () => {
    await machine.agent.up(["--ssh-per-source-penalties=authfail:15s"]);
    const other = join(machine.lab.root, "stranger");
    await machine.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other]);
    const options = ["-F", "none", "-i", other, "-p", String(machine.port), "-o", "BatchMode=yes"];
    const known = ["-o", "IdentitiesOnly=yes", "-o", `UserKnownHostsFile=${machine.knownHosts}`];
    const stranger = await machine.run(["ssh", ...options, ...known, target, "true"]);
    expect(stranger.stderr).toContain("Permission denied");
    const refused = await machine.lab.until("the refusal", async () => {
      const { exitCode, stderr } = await plain(["-v"], "true");
      return exitCode === 255 && stderr.includes("Not allowed at this time");
    });
    expect(refused).toBe(true);
    const peer = ["ssh", "-F", machine.config, `${machine.account.name}@${machine.host}`, "echo in"];
    expect((await machine.run(peer)).stdout).toBe("in\n");
    expect(machine.agent.log()).toContain("a source that keeps failing is refused");
    await machine.agent.up(["--ssh-per-source-penalty-exempt-list=127.0.0.0/8"]);
    await machine.refresh();
    expect((await plain([], "echo excused")).stdout).toBe("excused\n");
  });
});
