/**
 * What goes wrong in everyday use: one line with the cause and one next step, for `qf ssh` and for OpenSSH.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { sentenceOf } from "../../src/policy/sentences.ts";
import { renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import { EXTERNAL_USERS, startExternalIdp } from "../support/external-idp.ts";
import { type Lab, type LabAgent, type LabDevice, openLab } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { type RunResult, runProcess } from "../support/run-process.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

describe.skipIf(!isRoot)("on the client's terminal", () => {
  let setUp: SetUp;
  let lab: Lab;
  let account: OsAccount;
  let device: LabDevice;
  let servers: string;
  let config: string;

  beforeAll(async () => {
    setUp = await openSetUp({ accounts: [["bad"]] });
    ({ lab, account, servers, device } = setUp);
    config = join(lab.root, "openssh-config");
    const { executable } = lab;
    const { configDir } = device;
    writeFileSync(config, renderDropIn({ executable, domain: "qf.internal", configDir, shortNames: false }));
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  const run = (...command: string[]) =>
    runProcess(command, { env: lab.env(device.env()), cwd: lab.root, timeoutMs: 60_000 });

  /** The same by both clients. */
  function both(host: string, options: { user?: string; command?: string } = {}): Promise<RunResult[]> {
    const { user = account.name, command = "echo in" } = options;
    return Promise.all([
      device.ssh([`${user}@${host}`, command]),
      run("ssh", "-F", config, `${user}@${host}.qf.internal`, command),
    ]);
  }

  /** Both are refused with `cause` on one line, and what to do: a hint of its own or in brackets. */
  function expectLine(results: readonly RunResult[], cause: RegExp, next: RegExp): void {
    for (const { stderr, stdout, exitCode } of results) {
      expect({ exitCode, stdout }).toEqual({ exitCode: 255, stdout: "" });
      const lines = stderr.split("\n").filter((line) => cause.test(line));
      expect(lines.length === 1 ? "one line" : stderr).toBe("one line");
      expect(stderr).toMatch(next);
      expect(stderr).not.toMatch(/^\s+at /m);
    }
  }

  const listening = async (): Promise<{ server: Server; port: number }> => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { server, port: (server.address() as { port: number }).port };
  };

  test("a wrong user", async () => {
    const results = await both("web1", { user: "nobodyhere" });
    expectLine(results, /No authorization mapping for OS user|not authorized to login as OS user/, /add/);
  });

  test("a wrong host", async () => {
    expectLine(await both("nosuch"), /^qf: error: User is not authorized/, /^qf: hint: check the name/m);
  });

  test("a host without an agent", async () => {
    // At an address of its own: its port may be somebody else's a moment later.
    const gone = await lab.startAgent("gone1", { groups: [servers], args: ["--listen", "127.0.0.77:0"] });
    await gone.kill();
    expectLine(
      await both("gone1"),
      /^qf: error: Connection refused/,
      /^qf: hint: start the peer with qf agent up/m,
    );
  });

  test("an agent that does not answer", async () => {
    const stuck = await lab.startAgent("stuck1", { groups: [servers] });
    const { pid } = await stuck.status();
    process.kill(pid, "SIGSTOP");
    try {
      expectLine(await both("stuck1"), /^qf: error: Connection timeout/, /^qf: hint: /m);
    } finally {
      process.kill(pid, "SIGKILL");
    }
  }, 90_000);

  test("an agent without SSH", async () => {
    await lab.startAgent("mute1", { groups: [servers], args: ["--allow-server-ssh=false"] });
    expectLine(
      await both("mute1"),
      /^qf: error: (?:SSH is disabled for this peer|SSH server not detected)$/,
      /^qf: hint: run qf agent up --allow-server-ssh/m,
    );
  });

  test("file transfer that is off, by ssh -s, sftp, both of scp's protocols and rsync", async () => {
    writeFileSync(join(lab.root, "letter"), "dear all\n");
    const target = `${account.name}@web1.qf.internal`;
    const letter = join(lab.root, "letter");
    const ways = [
      ["ssh", "-F", config, "-s", target, "sftp"],
      ["sftp", "-F", config, "-b", "/dev/null", target],
      ["scp", "-F", config, letter, `${target}:`],
      ["scp", "-OF", config, letter, `${target}:`],
      ["rsync", "-e", `ssh -F ${config}`, letter, `${target}:`],
      [lab.executable, "ssh", `${account.name}@web1`, "scp -t ."],
    ];
    for (const result of await Promise.all(ways.map((words) => run(...words)))) {
      expect(result.exitCode).not.toBe(0);
      expect(result.stderr).toMatch(/^SFTP subsystem not available \(start the peer with --enable-ssh-sftp/m);
    }
  });

  test("a forward that is off, by -W of both", async () => {
    const results = [
      await device.ssh(["-W", "127.0.0.1:1", `${account.name}@web1`]),
      await run("ssh", "-F", config, "-W", "127.0.0.1:1", `${account.name}@web1.qf.internal`),
    ];
    for (const { stderr, exitCode } of results) {
      expect(exitCode).toBe(255);
      expect(stderr).toContain(sentenceOf("local_forward_disabled").sentence);
      expect(stderr).toContain("--enable-ssh-local-port-forwarding");
    }
  });

  test("a listener that is off, by -R of both, beside a session that goes on", async () => {
    const results = [
      await device.ssh(["-R", "0:127.0.0.1:1", `${account.name}@web1`, "echo in"]),
      await run("ssh", "-F", config, "-R", "0:127.0.0.1:1", `${account.name}@web1.qf.internal`, "echo in"),
    ];
    for (const { stdout, stderr, exitCode } of results) {
      expect({ stdout, exitCode }).toEqual({ stdout: "in\n", exitCode: 0 });
      expect(stderr).toMatch(
        /^Port forwarding not available \(start the peer with .+; receipt [a-z0-9]+\)$/m,
      );
    }
  });

  test("a home that is missing, which is no reason not to work", async () => {
    using homeless = homeOf("/no/such/home");
    for (const { stdout, stderr, exitCode } of await both("web1", { command: "pwd" })) {
      expect({ stdout, exitCode, homeless }).toMatchObject({ stdout: "/\n", exitCode: 0 });
      expect(stderr).toBe("Could not chdir to home directory /no/such/home: No such file or directory\n");
    }
  });

  function homeOf(path: string): Disposable {
    account.change("usermod", "--home", path);
    return { [Symbol.dispose]: () => account.change("usermod", "--home", account.home) };
  }

  test("a shell that is missing", async () => {
    account.change("usermod", "--shell", "/no/such/shell");
    try {
      expectLine(await both("web1"), /The OS account has no login shell/, /ask the peer's administrator/);
    } finally {
      account.change("usermod", "--shell", "/bin/sh");
    }
  });

  test("a disk of the machine that is full, and one that has room again", async () => {
    const folder = join(lab.root, "agent-full1");
    mkdirSync(folder);
    expect((await run("mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", folder)).exitCode).toBe(0);
    let full: LabAgent | undefined;
    try {
      full = await lab.startAgent("full1", { groups: [servers] });
      for (const { stdout } of await both("full1")) expect(stdout).toBe("in\n");
      fill(join(folder, "filled"));
      expectLine(
        await both("full1"),
        /The audit log cannot be written, so nothing is allowed/,
        /ask the peer's administrator to look at its disk/,
      );
      rmSync(join(folder, "filled"));
      for (const { stdout } of await both("full1")) expect(stdout).toBe("in\n");
    } finally {
      await full?.kill();
      await run("umount", "-l", folder);
    }
  }, 60_000);

  test("a disk that is full here, where nothing can be kept", async () => {
    const small = lab.device(device.person, "small");
    const { configDir } = small;
    expect((await run("mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", configDir)).exitCode).toBe(
      0,
    );
    try {
      await small.login();
      const own = join(lab.root, "small-config");
      const dropIn = { executable: lab.executable, domain: "qf.internal", configDir, shortNames: false };
      writeFileSync(own, renderDropIn(dropIn));
      fill(join(configDir, "filled"));
      const stock = await run("ssh", "-F", own, `${account.name}@web1.qf.internal`, "true");
      expectLine([stock], /^qf: error: \/\S+: the disk is full/, /^qf: hint: make room, then try again$/m);
      // What needs no file goes on.
      expect((await small.ssh([`${account.name}@web1`, "echo in"])).stdout).toBe("in\n");
      rmSync(join(configDir, "filled"));
      const again = await run("ssh", "-F", own, `${account.name}@web1.qf.internal`, "echo in");
      expect(again).toMatchObject({ stdout: "in\n", stderr: "" });
    } finally {
      await run("umount", "-l", configDir);
    }
  }, 60_000);

  test("a port in use, here and for an agent and for management", async () => {
    const { server, port } = await listening();
    const listen = ["--listen", `127.0.0.1:${port}`];
    const forward = await device.ssh([
      "-o",
      "ExitOnForwardFailure=yes",
      "-NL",
      `${port}:h:1`,
      `${account.name}@web1`,
    ]);
    expect(forward.stderr).toMatch(/^qf: error: Cannot bind to port \d+$/m);
    const key = await lab.createSetupKey([]);
    const state = ["--state-dir", join(lab.root, "taken"), "--name", "taken", "--management-url", lab.url];
    const agent = await lab.qf([
      "agent",
      "up",
      ...state,
      "--setup-key",
      key,
      "--allow-server-ssh",
      ...listen,
    ]);
    expect(agent).toMatchObject({ exitCode: 1 });
    expect(agent.stderr).toMatch(
      /^qf: error: 127\.0\.0\.1:\d+ is already in use\nqf: hint: choose another with --listen/m,
    );
    const data = ["--data-dir", join(lab.root, "taken-management")];
    const management = await lab.qf(["management", "serve", ...data, ...listen]);
    expect(management).toMatchObject({ exitCode: 1 });
    expect(management.stderr).toMatch(
      /^qf: error: something listens on 127\.0\.0\.1:\d+ already\nqf: hint: /m,
    );
    server.close();
  });

  test("a name that is taken: the second machine is told which one it got", async () => {
    const second = await lab.startAgent("second", { groups: [servers], args: ["--name", "web1"] });
    expect((await second.status()).self?.fullName).toBe("web1-2.qf.internal");
    for (const { stdout } of await both("web1-2")) expect(stdout).toBe("in\n");
    const { stdout } = await lab.qf(["agent", "status", "--state-dir", second.stateDir]);
    expect(stdout).toContain("web1-2.qf.internal");
    await second.kill();
  });

  test("management that is away: to sign in, to connect from a new device, to enrol", async () => {
    const phone = lab.device(device.person, "phone");
    await lab.management?.kill();
    const enrol = ["--state-dir", join(lab.root, "late"), "--name", "late", "--listen", "127.0.0.1:0"];
    const results = [
      await phone.qf(["login"]),
      await phone.ssh([`${account.name}@web1`, "true"]),
      await lab.qf(["agent", "up", ...enrol, "--management-url", lab.url, "--setup-key", "qfk_x"]),
    ];
    for (const { stderr, exitCode } of results) {
      expect(exitCode).not.toBe(0);
      expect(stderr).toMatch(
        /^qf: error: cannot reach management at \S+: connection refused\nqf: hint: .+\n$/,
      );
    }
    // With a kept login the machine is asked, which does not take it.
    const [own, stock] = await both("web1");
    for (const result of [own, stock]) {
      expect(result).toMatchObject({ exitCode: 255, stdout: "" });
      expect(result?.stderr).toContain("management cannot be reached");
    }
    expect(own?.stderr).toMatch(/^qf: error: Authentication failed\nqf: hint: .+\n$/m);
    await lab.serveManagement();
  }, 60_000);
});

test.skipIf(!isRoot)(
  "a disk of management that is full is named to who connects, and leaves it whole",
  async () => {
    await using lab = await openLab({ start: false });
    mkdirSync(lab.dataDir, { recursive: true });
    const mounted = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", lab.dataDir];
    expect((await runProcess(mounted, { env: lab.env({}), cwd: "/" })).exitCode).toBe(0);
    try {
      await lab.initManagement();
      await lab.serveManagement();
      const person = await lab.createPerson("ada@example.com");
      await lab.startAgent("web1");
      const device = lab.device(person, "laptop");
      await device.login();
      fill(join(lab.dataDir, "filled"));
      const { stderr, exitCode } = await device.ssh(["deploy@web1", "true"]);
      expect(exitCode).toBe(255);
      expect(stderr).toBe(
        "qf: error: the database cannot be written: the disk is full\n" +
          "qf: hint: make room on the disk of management's data folder\n",
      );
      const ready = await fetch(`${lab.url}/readyz`);
      expect({ status: ready.status, text: await ready.text() }).toEqual({
        status: 503,
        text: "not ready: the database cannot be written: the disk is full\n",
      });
      const login = await lab.device(person, "desktop").qf(["login"], { timeoutMs: 20_000 });
      expect(login.exitCode).toBe(1);
      expect(login.stderr).toContain("qf: error: the identity provider cannot sign anybody in now");
      rmSync(join(lab.dataDir, "filled"));
      expect((await device.ssh(["deploy@web1", "true"])).stderr).toContain("User is not authorized");
    } finally {
      await lab.management?.kill();
      await runProcess(["umount", "-l", lab.dataDir], { env: lab.env({}), cwd: "/" });
    }
  },
  60_000,
);

/** To the last byte. */
function fill(path: string): void {
  const fd = openSync(path, "w");
  try {
    for (let bytes = 65_536; bytes > 0; ) {
      try {
        writeSync(fd, Buffer.alloc(bytes));
      } catch {
        bytes = Math.floor(bytes / 2);
      }
    }
  } finally {
    closeSync(fd);
  }
}

test("an identity provider that is away is named, with what to look at", async () => {
  const idp = await startExternalIdp();
  const [grace] = EXTERNAL_USERS;
  let isStopped = false;
  try {
    await using lab = await openLab({
      serveArgs: ["--oidc-issuer", idp.issuer, "--oidc-client-id", idp.clientId],
    });
    const device = lab.device(grace, "grace");
    await idp.stop();
    isStopped = true;
    const { stderr, exitCode } = await device.qf(["login"]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^qf: error: .*identity provider.*\nqf: hint: .+\n$/);
  } finally {
    if (!isStopped) await idp.stop();
  }
}, 60_000);
