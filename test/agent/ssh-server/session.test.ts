/** Sessions as ssh(1) sees them: bytes, ends, environment, terminal, and what is refused. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClientChannel } from "ssh2";
import { sentenceOf } from "../../../src/policy/sentences.ts";
import type { SshCapabilities } from "../../../src/wire/policy.ts";
import { type OpenSsh, openSshClient } from "../../support/openssh-client.ts";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { unpaired } from "../../support/paired-events.ts";
import { anId, aRule } from "../../support/policy.ts";
import { alivePids } from "../../support/processes.ts";
import { runBatch } from "../../support/sftp.ts";
import { openTestSshServer, type TestSshServer } from "../../support/ssh-server-context.ts";
import { signIn } from "../../support/ssh-sign-in.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

const hasSsh = Bun.which("ssh") !== null;

describe.skipIf(!isRoot || !hasSsh)("a session of ssh(1)", () => {
  let world: TestSshServer;
  let account: OsAccount;
  let client: OpenSsh;
  beforeAll(async () => {
    world = await openTestSshServer();
    account = new OsAccount("ses");
    client = openSshClient(world, await world.issue());
  });
  afterAll(async () => {
    client.remove();
    await world.close();
    expect(unpaired(world.events)).toEqual([]);
    account[Symbol.dispose]();
  });
  beforeEach(() => {
    world.events.length = 0;
    grant({});
  });
  const grant = (capabilities: SshCapabilities): void => {
    const rule = aRule("rule", ["devs"], "full", { capabilities });
    world.map = { ...world.map, rules: { [rule.id]: rule } };
  };
  const run = (command: string, options?: Parameters<OpenSsh["run"]>[2]) =>
    client.run(account.name, [command], options);

  test("keeps stdout and stderr apart and gives the exit status", async () => {
    expect(await run("echo out; echo err >&2; exit 42")).toEqual({
      status: 42,
      stdout: "out\n",
      stderr: "err\n",
    });
  });

  test("is the account asked for, in its home, with sshd's environment and the connection's mark only", async () => {
    process.env.LD_PROBE = "leak";
    const { stdout } = await run("id -un; pwd; env | cut -d= -f1 | sort | xargs; exit 0", {
      flags: ["-o", "SetEnv=LANG=C.UTF-8 LC_TIME=C SECRET=1 LD_PRELOAD=/x BUN_OPTIONS=--print=1"],
    });
    delete process.env.LD_PROBE;
    const [name, home, variables] = stdout.split("\n");
    expect([name, home]).toEqual([account.name, account.home]);
    const wanted = [
      "HOME",
      "LANG",
      "LC_TIME",
      "LOGNAME",
      "MAIL",
      "PATH",
      "QF_CONNECTION_MARK",
      "SHELL",
      "SSH_CLIENT",
      "SSH_CONNECTION",
      "USER",
    ];
    // Of the shell itself, and of this system's PAM modules.
    const ofOthers = ["PWD", "OLDPWD", "SHLVL", "_", "MOTD_SHOWN"];
    expect(variables?.split(" ").filter((word) => !ofOthers.includes(word))).toEqual(wanted);
  });

  test("ends its stdin when the client's ends, and takes bytes as they are", async () => {
    const bytes = Buffer.alloc(300_000, "0123456789abcdef");
    const { stdout } = await run("cat | md5sum", { stdin: bytes });
    expect(stdout.split(" ")[0]).toBe(new Bun.CryptoHasher("md5").update(bytes).digest("hex"));
  });

  test("moves much more than a window, both ways at once, whole", async () => {
    const bytes = Buffer.alloc(24 * 1024 * 1024, "0123456789abcdef0");
    const child = Bun.spawn([...client.argv(account.name), "cat; cat /dev/null >&2"], {
      stdin: bytes,
      stdout: "pipe",
      stderr: "pipe",
    });
    const digest = new Bun.CryptoHasher("md5");
    for await (const chunk of child.stdout) digest.update(chunk);
    expect(await child.exited).toBe(0);
    expect(digest.digest("hex")).toBe(new Bun.CryptoHasher("md5").update(bytes).digest("hex"));
  });

  test("writes much to both of its outputs and loses nothing of either", async () => {
    const { stdout, stderr } = await run(
      "(head -c 5000000 /dev/zero | tr '\\0' e >&2) & head -c 5000000 /dev/zero | tr '\\0' o; wait",
    );
    expect(stdout.length).toBe(5_000_000);
    expect(stderr.length).toBe(5_000_000);
  });

  test("is not ended by a client that stops sending", async () => {
    const { stdout, status } = await run("sleep 0.3; echo still here", { stdin: "" });
    expect({ stdout, status }).toEqual({ stdout: "still here\n", status: 0 });
  });

  test("says which signal ended it", async () => {
    const { status, stderr } = await run("kill -TERM $$", { flags: ["-v"] });
    expect(status).toBe(255);
    expect(stderr).toContain("exit-signal");
    expect(world.eventsOf("session.end")[0]).toMatchObject({ exitStatus: null, signal: "SIGTERM" });
  });

  test("says 127 for a command that is not there", async () => {
    expect((await run("/no/such/command")).status).toBe(127);
  });

  test("runs a command as long as the kernel takes one, and says so of a longer one", async () => {
    const half = "x".repeat(65_000);
    const longest = [": ", half, "y".repeat(131_071 - 2 - 65_000 - 2)];
    expect(longest.join(" ")).toHaveLength(131_071);
    expect(await client.run(account.name, longest)).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(world.eventsOf("session.start")[0]?.command).toHaveLength(131_071);
    world.events.length = 0;
    const { status, stderr } = await client.run(account.name, [...longest, "z"]);
    expect(status).toBe(255);
    expect(stderr).toMatch(/^The command is too long \([^\n]*receipt[^\n]*\n$/);
    expect(world.eventsOf("session.start")).toEqual([]);
    const denial = world.eventsOf("decision").find(({ decision }) => decision.outcome === "deny");
    expect(denial).toMatchObject({ decision: { reason: "command_too_long" } });
    expect(JSON.stringify(denial).length).toBeLessThan(4_096);
  });

  test("without X11: says why, goes on, and that is evidence", async () => {
    const child = Bun.spawn([...client.argv(account.name, ["-Y"]), "sleep 0.3; echo [$DISPLAY]"], {
      env: { ...process.env, DISPLAY: "127.0.0.1:99" },
      stdout: "pipe",
      stderr: "pipe",
    });
    expect(await new Response(child.stdout).text()).toBe("[]\n");
    expect(await new Response(child.stderr).text()).toMatch(/^X11 forwarding is not available \(.*receipt/m);
    expect(await child.exited).toBe(0);
    const denials = world.eventsOf("decision").filter(({ decision }) => decision.outcome === "deny");
    expect(denials).toHaveLength(1);
    expect(denials[0]).toMatchObject({
      request: { action: { kind: "x11_forwarding" } },
      decision: { reason: "x11_not_available" },
    });
  });

  test("has a terminal of the client's type when it asks for one", async () => {
    const { stdout, stderr } = await run(
      "tty; echo $TERM $SSH_TTY; echo err >&2; stty -a | grep -c -- ' echo '",
      {
        flags: ["-tt", "-o", "SetEnv=TERM=vt100"],
      },
    );
    const [path, names, error, echo] = stdout.split("\r\n");
    expect(path).toStartWith("/dev/pts/");
    expect(names).toEndWith(` ${path}`);
    expect([error, echo]).toEqual(["err", "1"]);
    expect(stderr).not.toContain("err\n");
  });

  test("leaves a terminal at once when a job in the background keeps it open", async () => {
    const startedMs = performance.now();
    const { status } = await run("sleep 30 & exit 3", { flags: ["-tt"] });
    expect(status).toBe(3);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  test("is a login shell when no command is given, and reads commands without a terminal", async () => {
    const { stdout, status } = await client.run(account.name, [], { stdin: "echo $0; exit 5\n" });
    expect({ stdout, status }).toEqual({ stdout: "-bash\n", status: 5 });
  });

  test("is recorded before it begins: the decision, then the start, and its end", async () => {
    await run("true");
    const id = world.eventsOf("connection.open")[0]?.connectionId;
    const own = world.events.filter((event) => "connectionId" in event && event.connectionId === id);
    const types = own.map((event) => event.type);
    expect(types.slice(0, 5)).toEqual([
      "decision",
      "connection.open",
      "decision",
      "session.start",
      "session.end",
    ]);
    expect(world.eventsOf("session.start")[0]).toMatchObject({
      kind: "exec",
      command: "true",
      argv: null,
      pty: false,
    });
    expect(world.eventsOf("decision")[1]).toMatchObject({
      request: { action: { kind: "exec", command: "true" } },
      decision: { outcome: "allow", ruleId: anId("rule") },
    });
    const closing = () => world.eventsOf("connection.close").find((event) => event.connectionId === id);
    await until(() => closing() !== undefined);
    expect(closing()).toMatchObject({ reason: null });
  });

  test.each([
    ["", "ERR_UNAVAILABLE", "The audit log cannot be written"],
    [" beside what others did", "ERR_TOO_MANY", "Your share of this peer's audit log is full"],
  ] as const)("does not begin when it cannot be recorded%s", async (_what, code, sentence) => {
    const connected = await signIn(world, { ...(await world.issue()), localUser: account.name });
    world.auditFails = code;
    const answer = await exec(connected.client, `touch ${account.home}/ran`);
    world.auditFails = false;
    connected.client.end();
    expect(answer.status).toBe(255);
    expect(answer.stderr).toContain(sentence);
    expect(await Bun.file(`${account.home}/ran`).exists()).toBe(false);
  });

  test("runs a listed command as it stands, without a shell, and no other", async () => {
    grant({ commands: ["/usr/bin/printf %s $HOME"] });
    expect(await run("/usr/bin/printf %s $HOME")).toMatchObject({ status: 0, stdout: "$HOME" });
    expect(world.eventsOf("session.start")[0]?.argv).toEqual(["/usr/bin/printf", "%s", "$HOME"]);
    const refused = await run("/usr/bin/printf %s $HOME; id");
    expect(refused).toMatchObject({ status: 255, stdout: "" });
    expect(refused.stderr).toContain(sentenceOf("command_not_allowed").sentence);
    const shell = await client.run(account.name, [], { stdin: "id\n" });
    expect(shell).toMatchObject({ status: 255, stdout: "" });
    expect(shell.stderr).toContain(sentenceOf("shell_not_allowed").sentence);
  });

  test("is refused a terminal that the grant has none of, with the way out", async () => {
    grant({ pty: false });
    const { status, stdout, stderr } = await run("tty", { flags: ["-tt"] });
    expect({ status, stdout }).toEqual({ status: 255, stdout: "" });
    expect(stderr).toContain(`${sentenceOf("pty_not_allowed").sentence} (`);
    expect((await run("tty")).stdout).toBe("not a tty\n");
  });

  /** sftp(1) through `ssh -s`, in a folder of its own. */
  const sftp = (...batch: string[]) => {
    const folder = tempFolder();
    writeFileSync(join(folder, "here"), Buffer.alloc(3_000_001, "0123456789abcdef_"));
    const server = client.argv(account.name, ["-s"]).join(" ");
    return runBatch({ server: `${server} sftp`, folder, batch }).then((result) => ({ ...result, folder }));
  };

  test("moves files as sftp(1) asks, as the user and in the user's home", async () => {
    const { status, stdout, stderr, folder } = await sftp(
      "pwd",
      "put here there",
      "get there back",
      "-ls /root",
    );
    expect({ status, stderr: stderr.trim() }).toMatchObject({ status: 0 });
    expect(stdout).toContain(`Remote working directory: ${account.home}`);
    expect(readFileSync(join(folder, "back")).equals(readFileSync(join(folder, "here")))).toBe(true);
    expect(statSync(join(account.home, "there")).uid).toBe(statSync(account.home).uid);
    expect(stderr).toContain("Permission denied");
    expect(world.eventsOf("session.start").at(-1)).toMatchObject({ kind: "sftp", command: null, argv: null });
    expect(world.eventsOf("session.end").at(-1)).toMatchObject({ exitStatus: 0 });
  });

  test("moves files one way only where policy says read", async () => {
    grant({ sftp: "read" });
    const { stderr } = await sftp("-put here elsewhere", "-rm there");
    expect(stderr).toContain("Permission denied");
    expect(existsSync(join(account.home, "elsewhere"))).toBe(false);
  });

  test("that is being refused is nothing that a change could revoke: the connection goes on", async () => {
    grant({ sftp: "off" });
    const { client: connected } = await signIn(world, { ...(await world.issue()), localUser: account.name });
    let isClosed = false;
    connected.once("close", () => {
      isClosed = true;
    });
    const changes = setInterval(() => world.change((map) => ({ ...map })), 0);
    try {
      for (let i = 0; i < 30; i++) {
        const { stderr, status } = await exec(connected, "scp -t .");
        expect(stderr).toStartWith("SFTP subsystem not available");
        expect({ status, isClosed }).toEqual({ status: 255, isClosed: false });
      }
    } finally {
      clearInterval(changes);
      connected.end();
    }
  });

  test("moves no files where policy says off, and says which sentence; scp neither", async () => {
    grant({ sftp: "off" });
    const { status, stderr } = await client.run(account.name, ["sftp"], { flags: ["-s"] });
    expect(status).toBe(255);
    expect(stderr).toContain(sentenceOf("sftp_disabled").sentence);
    expect((await run("scp -t /tmp")).stderr).toContain(sentenceOf("sftp_disabled").sentence);
  });

  test("refuses forwards with the reason, and records that it did", async () => {
    grant({ local_forward: [], remote_forward: [] });
    const { stderr } = await client.run(account.name, [], { flags: ["-W", "127.0.0.1:1"] });
    expect(stderr).toContain(sentenceOf("local_forward_disabled").sentence);
    expect(world.eventsOf("decision").at(-1)?.request.action).toEqual({
      kind: "local_forward",
      host: "127.0.0.1",
      port: 1,
    });
    const remote = await run("true", { flags: ["-R", "0:127.0.0.1:1", "-o", "ExitOnForwardFailure=yes"] });
    expect(remote.status).toBe(255);
  });

  test("names the sentence of a refused sign-in on the terminal", async () => {
    world.map = { ...world.map, rules: {} };
    const { status, stderr } = await run("true");
    expect(status).toBe(255);
    expect(stderr).toContain(sentenceOf("peer_not_authorized").sentence);
    expect(stderr).toContain(world.eventsOf("decision").at(-1)?.receipt as string);
    expect(stderr).toContain("Permission denied");
  });
});

describe.skipIf(!isRoot)("a session of ssh2's client", () => {
  let world: TestSshServer;
  let account: OsAccount;
  beforeAll(async () => {
    world = await openTestSshServer({ limits: { sessionsMax: 2 } });
    account = new OsAccount("cli");
  });
  afterAll(async () => {
    await world.close();
    account[Symbol.dispose]();
  });
  const connect = async () =>
    (await signIn(world, { ...(await world.issue()), localUser: account.name })).client;

  test("gets the signals the client sends, as a group", async () => {
    const client = await connect();
    const channel = await open(
      client,
      "trap 'echo got it; exit 4' USR1; echo ready; while :; do sleep 0.05; done",
    );
    const output = collect(channel);
    await until(() => output.stdout.includes("ready"));
    channel.signal("USR1");
    expect((await output.done).status).toBe(4);
    expect(output.stdout).toContain("got it");
    client.end();
  });

  test("gets a signal that is sent before it has begun", async () => {
    const client = await connect();
    const channel = await open(client, "sleep 20");
    channel.signal("TERM");
    expect((await collect(channel).done).status).toBeNull();
    expect(world.eventsOf("session.end").at(-1)).toMatchObject({ exitStatus: null, signal: "SIGTERM" });
    client.end();
  });

  test("follows its window", async () => {
    const client = await connect();
    const channel = await new Promise<ClientChannel>((resolve, reject) => {
      const pty = { rows: 24, cols: 80, height: 0, width: 0, term: "xterm", modes: { ECHO: 0 } };
      client.exec(
        // Nothing is said to be there before the shell heeds its window.
        "stty size; trap 'stty size; exit' WINCH; stty -a | grep -o -e '-echo ' | xargs; while :; do sleep 0.05; done",
        { pty: pty as never },
        (error, opened) => (error === undefined ? resolve(opened) : reject(error)),
      );
    });
    const output = collect(channel);
    await until(() => output.stdout.includes("-echo"));
    channel.setWindow(50, 132, 0, 0);
    await output.done;
    expect(output.stdout.split("\r\n").slice(0, 3)).toEqual(["24 80", "-echo", "50 132"]);
    client.end();
  });

  test("on a terminal is hung up when its client goes; nohup jobs live on", async () => {
    const client = await connect();
    const channel = await open(client, "nohup sleep 41 >/dev/null 2>&1 & echo ready; exec sleep 42", {
      pty: true,
    });
    const output = collect(channel);
    await until(() => output.stdout.includes("ready"));
    // Both have become what they will be: a nohup that has not begun yet would be hung up.
    await until(() => sleepers(account).length === 2);
    expect(sleepers(account)).toEqual(["sleep 41", "sleep 42"]);
    client.end();
    await until(() => sleepers(account).length === 1);
    expect(sleepers(account)).toEqual(["sleep 41"]);
  });

  test("without a terminal goes on when its client goes, as sshd has it, and loses its pipes", async () => {
    const client = await connect();
    const channel = await open(client, "trap '' PIPE; echo ready; sleep 1; echo lost; sleep 43");
    const output = collect(channel);
    await until(() => output.stdout.includes("ready"));
    client.end();
    await until(() => sleepers(account).includes("sleep 43"));
    for (const pid of alivePids(account)) process.kill(pid, "SIGKILL");
  });

  test("is one of a bounded number on a connection", async () => {
    const client = await connect();
    const first = await open(client, "cat");
    await open(client, "cat");
    expect(open(client, "cat")).rejects.toThrow("Too many sessions");
    const ended = collect(first).done;
    first.end();
    await ended;
    expect((await exec(client, "echo again")).stdout).toBe("again\n");
    client.end();
  });

  test("shows in the live list without its arguments", async () => {
    const client = await connect();
    const channel = await open(client, "sleep 5 --secret 2>/dev/null; sleep 5");
    await until(() => world.server.sessions().some((session) => session.command.startsWith("sleep")));
    const live = world.server.sessions().find((session) => session.command.startsWith("sleep"));
    expect(live).toMatchObject({
      localUser: account.name,
      user: "alice@example.com",
      peer: "laptop.qf.internal",
    });
    expect(JSON.stringify(live)).not.toContain("secret");
    channel.close();
    client.end();
  });
});

function sleepers(account: OsAccount): string[] {
  const result = Bun.spawnSync(["ps", "-o", "args=", "-u", account.name]);
  const lines = result.stdout
    .toString()
    .split("\n")
    .filter((line) => line.startsWith("sleep 4"));
  return lines.map((line) => line.trim()).sort();
}

function open(
  client: { exec: import("ssh2").Client["exec"] },
  command: string,
  options: import("ssh2").ExecOptions = {},
): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, options, (error, channel) =>
      error === undefined ? resolve(channel) : reject(error),
    );
  });
}

interface Collected {
  stdout: string;
  stderr: string;
  done: Promise<{ status: number | null; stdout: string; stderr: string }>;
}

function collect(channel: ClientChannel): Collected {
  const collected: Collected = {
    stdout: "",
    stderr: "",
    done: Promise.resolve({ status: null, stdout: "", stderr: "" }),
  };
  channel.on("data", (data: Buffer) => {
    collected.stdout += data.toString();
  });
  channel.stderr.on("data", (data: Buffer) => {
    collected.stderr += data.toString();
  });
  collected.done = new Promise((resolve) => {
    let status: number | null = null;
    channel.on("exit", (code: number | null) => {
      status = code;
    });
    channel.on("close", () => resolve({ status, stdout: collected.stdout, stderr: collected.stderr }));
  });
  return collected;
}

/** Listens from the first moment: all that a refusal consists of may come at once. */
function exec(client: { exec: import("ssh2").Client["exec"] }, command: string): Collected["done"] {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) =>
      error === undefined ? resolve(collect(channel).done) : reject(error),
    );
  });
}
