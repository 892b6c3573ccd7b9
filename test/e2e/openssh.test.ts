/** Stock OpenSSH against the whole of it: management, an agent's SSH server, `qf proxy` between. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sentenceOf } from "../../src/policy/sentences.ts";
import { renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import type { Lab, LabAgent, LabDevice, Person } from "../support/lab.ts";
import { LabTerminal } from "../support/lab-terminal.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { runProcess } from "../support/run-process.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

describe.skipIf(!isRoot)("OpenSSH, unchanged", () => {
  let setUp: SetUp;
  let lab: Lab;
  let deploy: OsAccount;
  let agent: LabAgent;
  let ada: Person;
  let laptop: LabDevice;
  let destination = "";

  beforeAll(async () => {
    setUp = await openSetUp({ accounts: [["deploy"]], machines: { web1: ["--enable-ssh-sftp"] } });
    ({ lab, account: deploy, person: ada, agent, device: laptop } = setUp);
    destination = `${deploy.name}@web1.qf.internal`;
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  /** The file for `-F` of a device. */
  function configOf(device: LabDevice): string {
    const path = join(device.configDir, "openssh-config");
    const { executable } = lab;
    const dropIn = { executable, domain: "qf.internal", configDir: device.configDir, shortNames: false };
    writeFileSync(path, renderDropIn(dropIn));
    return path;
  }

  function run(device: LabDevice, command: readonly string[], env: Record<string, string> = {}) {
    return runProcess(command, { env: lab.env(device.env(env)), cwd: lab.root });
  }

  function ssh(device: LabDevice, args: readonly string[], env: Record<string, string> = {}) {
    return run(device, ["ssh", "-F", configOf(device), ...args], env);
  }

  test("a command runs as the local user, with its output, error and status", async () => {
    const result = await ssh(laptop, [destination, "id -un; echo err >&2; exit 7"]);
    expect(result).toMatchObject({ stdout: `${deploy.name}\n`, stderr: "err\n", exitCode: 7 });
  });

  test("the overlay address names the peer as well", async () => {
    const { self } = await agent.status();
    const result = await ssh(laptop, [`${deploy.name}@${self?.address}`, "echo here"]);
    expect(result).toMatchObject({ stdout: "here\n", exitCode: 0 });
  });

  for (const ttlSeconds of [0, 60]) {
    test(`twenty ssh at once all get in, each login kept for ${ttlSeconds} s`, async () => {
      const device = lab.device(ada, `many-${ttlSeconds}`);
      await device.login(ttlSeconds);
      const all = await Promise.all(
        Array.from({ length: 20 }, (_, i) => ssh(device, [destination, `echo ${i}`])),
      );
      const got = all.map(({ stdout, stderr }) => (stdout === "" ? stderr : stdout.trim()));
      expect(got).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
    }, 180_000);
  }

  test("qf ssh-config sets a person up, qf logout takes the keys away, and all of it is undone", async () => {
    const device = lab.device(ada, "desk");
    await device.login();
    const home = join(lab.root, "desk-home");
    mkdirSync(home, { mode: 0o700 });
    const env = { HOME: home };
    const printed = await device.qf(["ssh-config", "print", "--mine"], { env });
    expect(printed.stdout).toContain('Match host "*.qf.internal,');
    const installed = await device.qf(["ssh-config", "install", "--mine", "--json"], { env });
    expect(JSON.parse(installed.stdout)).toMatchObject({ domain: "qf.internal", warnings: [] });
    const config = join(home, ".ssh/config");
    const connect = () => run(device, ["ssh", "-F", config, destination, "echo in"], env);
    expect(await connect()).toMatchObject({ stdout: "in\n", stderr: "" });
    const keys = () => readdirSync(join(device.configDir, "openssh")).filter((name) => !name.includes("_"));
    expect(keys()).toEqual(["web1.qf.internal"]);
    expect((await device.qf(["logout"], { env })).exitCode).toBe(0);
    expect(keys()).toEqual([]);
    expect((await device.qf(["ssh-config", "remove", "--mine"], { env })).stdout).toBe("ssh is as it was.\n");
    expect(existsSync(join(home, ".ssh"))).toBe(false);
  }, 60_000);

  test("git and rsync go through it as through any ssh", async () => {
    const command = `ssh -F ${configOf(laptop)}`;
    const [bare, here] = [join(deploy.home, "repo.git"), join(lab.root, "work")];
    const script = `set -e
      ssh -F ${configOf(laptop)} ${destination} git init -q --bare ${bare}
      git init -q ${here} && cd ${here} && date > a && git add a
      git -c user.name=a -c user.email=a@b commit -qm one && git push -q ${destination}:${bare} HEAD:main
      git clone -qb main ${destination}:${bare} ${here}2 && cmp a ${here}2/a
      rsync -e '${command}' a ${destination}:b && rsync -e '${command}' ${destination}:b c && cmp a c`;
    const result = await run(laptop, ["sh", "-c", script], { GIT_SSH_COMMAND: command });
    expect(result).toMatchObject({ exitCode: 0 });
  }, 60_000);

  test("sftp and scp carry files, and what they carry is in the audit log", async () => {
    writeFileSync(join(lab.root, "letter"), "dear all\n");
    const batch = `put ${join(lab.root, "letter")} ${deploy.home}/letter\nrename letter post\nrm post\n`;
    writeFileSync(join(lab.root, "batch"), batch);
    const config = ["-F", configOf(laptop)];
    const bySftp = await run(laptop, ["sftp", ...config, "-b", join(lab.root, "batch"), destination]);
    expect(bySftp).toMatchObject({ exitCode: 0 });
    const byScp = await run(laptop, ["scp", ...config, join(lab.root, "letter"), `${destination}:sent`]);
    expect(byScp).toMatchObject({ exitCode: 0 });
    const rows = await lab.until("both", async () => {
      const found = (await lab.events()).filter(
        ({ activity_code }) => activity_code === "ssh.sftp.operations",
      );
      const all = found.flatMap(({ data }) => (data as { operations: Row[] }).operations);
      return all.filter(({ op }) => op === "close").length === 2 && all;
    });
    interface Row {
      readonly op: string;
      readonly path: string;
      readonly transfer?: object;
    }
    expect(rows.map(({ op, path }) => `${op} ${path.slice(deploy.home.length)}`).sort()).toEqual([
      "close /letter",
      "close /sent",
      "open /letter",
      "open /sent",
      "remove /post",
      "rename /letter",
      "setstat /sent",
    ]);
    const sha256 = createHash("sha256").update("dear all\n").digest("hex");
    for (const { transfer } of rows.filter(({ op }) => op === "close"))
      expect(transfer).toEqual({ bytesRead: 0, bytesWritten: 9, sizeBytes: 9, sha256 });
  }, 60_000);

  test("a denial of management is told in its own words, by ssh and by scp", async () => {
    const eve = lab.device(await lab.createPerson("eve@example.com"), "eve");
    await eve.login();
    const viaSsh = await ssh(eve, [destination, "true"]);
    const viaScp = await run(eve, ["scp", "-F", configOf(eve), "/etc/hostname", `${destination}:`]);
    for (const { stderr, exitCode } of [viaSsh, viaScp]) {
      expect(stderr).toMatch(/^qf: error: .+$/m);
      expect(exitCode).toBe(255);
    }
  });

  test("a local user that no policy gives is refused for the same reason as by qf ssh", async () => {
    const result = await ssh(laptop, ["nobody@web1.qf.internal", "true"]);
    expect(result.exitCode).toBe(255);
    expect(result.stderr).toMatch(/^No authorization mapping for OS user/);
    expect(result.stderr).not.toContain("no such identity");
    const own = await laptop.ssh(["nobody@web1", "true"]);
    expect(own.stderr).toContain(sentenceOf("local_user_unmapped").sentence);
  });

  test("a person signs in from under scp at a terminal, by the page it names and the code it shows", async () => {
    const phone = lab.device(ada, "phone");
    writeFileSync(join(lab.root, "sent"), "by scp\n");
    const command = ["scp", "-OqF", configOf(phone), join(lab.root, "sent"), `${destination}:sent`];
    const terminal = new LabTerminal(command, lab.env(phone.env({ BROWSER: "", TERM: "xterm" })), lab.root);
    const url = (await terminal.expect(/^(http\S+)\s*$/m))[1] ?? "";
    const visit = await phone.approve(url);
    terminal.type(`${visit.code}\r`);
    expect(await terminal.end(20_000)).toBe(0);
    expect(readFileSync(join(deploy.home, "sent"), "utf8")).toBe("by scp\n");
  }, 60_000);
});
