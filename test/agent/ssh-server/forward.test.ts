/**
 * OpenSSH's -L, -R, -D, -W, -A and unix sockets, with a certificate; what is next to each grant; and its end.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { createServer, Socket } from "node:net";
import { join } from "node:path";
import type { Limits } from "../../../src/agent/contracts/limits.ts";
import type { SshCapabilities } from "../../../src/wire/policy.ts";
import { converse, type Echo, freePort, startEcho } from "../../support/echo.ts";
import { type OpenSsh, openSshClient } from "../../support/openssh-client.ts";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { unpaired } from "../../support/paired-events.ts";
import { anId, aRule } from "../../support/policy.ts";
import { socketUids } from "../../support/sockets.ts";
import { socks4a, socks5 } from "../../support/socks.ts";
import { openTestSshServer, type TestSshServer } from "../../support/ssh-server-context.ts";
import { signIn } from "../../support/ssh-sign-in.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

/** More than all buffers between a source and a reader that does not read. */
const FLOOD_BYTES_MAX = 48 * 1024 * 1024;

let world: TestSshServer;
let account: OsAccount;
let uid: number;
let ssh: OpenSsh;
let echo: Echo;
const running: Bun.Subprocess[] = [];

describe.skipIf(!isRoot)("forwarding", () => {
  beforeEach(async () => {
    account = new OsAccount("fwd");
    uid = statSync(account.home).uid;
    echo = await startEcho();
    await open();
  });
  afterEach(async () => {
    for (const child of running.splice(0)) {
      child.kill("SIGKILL");
      await child.exited;
    }
    ssh.remove();
    await world.close();
    // An end that could not be stored is tried again a moment later.
    await until(() => unpaired(world.events).length === 0).catch(() => {});
    expect(unpaired(world.events)).toEqual([]);
    await echo[Symbol.asyncDispose]();
    await until(() => account.pids().length === 0);
    account[Symbol.dispose]();
  });

  async function open(limits: Partial<Limits> = {}): Promise<void> {
    world = await openTestSshServer({ limits });
    ssh = openSshClient(world, await world.issue());
  }

  async function reopen(limits: Partial<Limits>): Promise<void> {
    ssh.remove();
    await world.close();
    await open(limits);
  }

  function allow(capabilities: Partial<SshCapabilities>): void {
    world.change((map) => ({
      ...map,
      rules: { [anId("rule")]: aRule("rule", ["devs"], "full", { capabilities }) },
    }));
  }

  /** Starts ssh(1) with `flags` and, unless there is a command, without a session. */
  function start(flags: readonly string[], command: readonly string[] = []) {
    const extra = command.length === 0 ? ["-N", ...flags] : flags;
    const child = Bun.spawn([...ssh.argv(account.name, extra), ...command], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    running.push(child);
    return child;
  }

  /**
   * stdout of `command` with the agent at `path` forwarded: ssh(1) forwards none that it may not use itself.
   */
  async function withAgent(path: string, command: readonly string[]): Promise<string> {
    const argv = ssh
      .argv(account.name, ["-A"])
      .map((word) => word.replace(/^IdentityAgent=.*/, `IdentityAgent=${path}`));
    const child = Bun.spawn([...argv, ...command], { stdin: "ignore", stdout: "pipe", stderr: "ignore" });
    return new Response(child.stdout).text();
  }

  const w = (destination: string) =>
    ssh.run(account.name, [], { flags: ["-W", destination], stdin: "hello " });
  const listening = (port: number) => until(() => socketUids("local", port, "0A").length > 0);

  test("-W, -L and -D reach what the machine reaches, as the user and on record", async () => {
    expect(await w(`127.0.0.1:${echo.port}`)).toMatchObject({ status: 0, stdout: "hello bye" });
    await until(() => world.eventsOf("forward.close").length === 1);
    expect(world.eventsOf("forward.close")[0]).toMatchObject({
      ...{ kind: "local", destination: `127.0.0.1:${echo.port}`, forwardId: 0, reason: null },
      ...{ bytesIn: "hello ".length, bytesOut: "hello bye".length },
    });
    const [port, proxy] = [await freePort(), await freePort()];
    start(["-L", `${port}:127.0.0.1:${echo.port}`, "-D", String(proxy)]);
    await listening(port);
    await listening(proxy);
    const socket = new Socket().connect(port, "127.0.0.1");
    await until(() => socketUids("remote", echo.port, "01").length === 1);
    expect(socketUids("remote", echo.port, "01")).toEqual([uid]);
    // The kernel knows of the connection a moment before the agent has its descriptor.
    const listed = () => world.server.sessions().map(({ forwards }) => forwards);
    await until(() => listed()[0]?.length === 1);
    expect(listed()).toEqual([[`-L 127.0.0.1:${echo.port}`]]);
    socket.destroy();
    expect(await converse({ port }, "hello ")).toBe("hello bye");
    expect(await socks5(proxy, "localhost", echo.port, "hello ")).toBe("hello bye");
    expect(await socks4a(proxy, "127.0.0.1", echo.port, "hello ")).toBe("hello bye");
    expect(world.eventsOf("forward.open").map(({ kind, destination }) => `${kind} ${destination}`)).toEqual([
      ...Array<string>(3).fill(`local 127.0.0.1:${echo.port}`),
      `local localhost:${echo.port}`,
      `local 127.0.0.1:${echo.port}`,
    ]);
  });

  test("-R listens as the user until it is cancelled or the client has gone", async () => {
    const port = await freePort();
    const child = start(["-R", `${port}:127.0.0.1:${echo.port}`]);
    await listening(port);
    expect(socketUids("local", port, "0A")).toEqual([uid]);
    expect(await converse({ port }, "hello ")).toBe("hello bye");
    expect(world.eventsOf("forward.open").map(({ kind, destination }) => `${kind} ${destination}`)).toEqual([
      `remote localhost:${port}`,
      `remote localhost:${port}`,
    ]);
    child.kill("SIGKILL");
    await until(() => socketUids("local", port, "0A").length === 0);
  });

  test("a control connection begins and cancels forwards of its own, the named one alone", async () => {
    const [kept, port] = [await freePort(), await freePort()];
    const control = join(tempFolder(), "control");
    start(["-M", "-S", control]);
    await until(() => existsSync(control));
    const ask = (...args: string[]) =>
      Bun.spawn(["ssh", "-F", "none", "-S", control, ...args, "x"], { stdout: "ignore", stderr: "ignore" })
        .exited;
    const spec = (port: number) => `${port}:127.0.0.1:${echo.port}`;
    for (const each of [kept, port]) expect(await ask("-O", "forward", "-R", spec(each))).toBe(0);
    expect(await converse({ port }, "hello ")).toBe("hello bye");
    expect(await ask("-O", "cancel", "-R", spec(port))).toBe(0);
    await until(() => socketUids("local", port, "0A").length === 0);
    expect(await converse({ port: kept }, "hello ")).toBe("hello bye");
    const ended = () =>
      world.eventsOf("forward.close").filter(({ destination }) => destination.endsWith(`:${port}`));
    // The stream to it, and the listener itself.
    await until(() => ended().length === 2);
  });

  test("a listener at a port of the machine's choice is decided about by the port it got", async () => {
    allow({ remote_forward: ["localhost:*"] });
    start(["-R", `0:127.0.0.1:${echo.port}`]);
    const listed = () => world.server.sessions().flatMap(({ forwards }) => forwards);
    await until(() => listed().length === 1);
    const port = Number(listed()[0]?.split(":")[1]);
    allow({ remote_forward: [`localhost:${port}`] });
    expect(await converse({ port }, "hello ")).toBe("hello bye");
    allow({ remote_forward: ["localhost:1"] });
    await until(() => socketUids("local", port, "0A").length === 0);
  });

  test("nobody cancels what another connection listens at", async () => {
    const port = await freePort();
    start(["-R", `${port}:127.0.0.1:${echo.port}`]);
    await listening(port);
    const second = await ssh.run(account.name, [], {
      flags: ["-N", "-o", "ExitOnForwardFailure=yes", "-R", `${port}:127.0.0.1:1`],
    });
    expect(second.status).toBe(255);
    expect(second.stderr).toContain("remote port forwarding failed");
    expect(await converse({ port }, "hello ")).toBe("hello bye");
  });

  test.each([
    ["a port that nobody listens at", "127.0.0.1:1", "refused"],
    ["a name that nobody has", "no-such-host.invalid:1", "unknown_host"],
  ])("a forward to %s was begun, and has its end", async (_name, destination, reason) => {
    expect((await w(destination)).status).toBe(255);
    await until(() => world.eventsOf("forward.close").length === 1);
    expect(world.eventsOf("forward.close")[0]).toMatchObject({
      destination,
      reason,
      bytesIn: 0,
      bytesOut: 0,
    });
  });

  test("a port that is taken is said with the reason, beside a session that goes on", async () => {
    const child = Bun.spawn([...ssh.argv(account.name, ["-R", `${echo.port}:127.0.0.1:1`]), "cat"], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    running.push(child);
    let said = "";
    const reading = (async () => {
      for await (const chunk of child.stderr) said += Buffer.from(chunk).toString();
    })();
    const where = `localhost:${echo.port}`;
    const sentence = `Cannot listen on ${where}: Address already in use (choose another with -R)`;
    // The session is there until it has been said: one that ends sooner has nobody to tell.
    await until(() => said.includes(sentence));
    child.stdin.write("in\n");
    child.stdin.end();
    expect([await new Response(child.stdout).text(), await child.exited]).toEqual(["in\n", 0]);
    await reading;
  });

  test("unix sockets go both ways, are the user's, and replace nothing", async () => {
    const there = join(account.home, "there.sock");
    const here = join("/tmp", `qf-here-${process.pid}`);
    const child = start(["-R", `${there}:127.0.0.1:${echo.port}`, "-L", `${here}:${there}`]);
    await until(() => existsSync(there) && existsSync(here));
    expect(statSync(there)).toMatchObject({ uid });
    expect(await converse({ path: here }, "hello ")).toBe("hello bye");
    const again = await ssh.run(account.name, [], {
      flags: ["-N", "-o", "ExitOnForwardFailure=yes", "-R", `${there}:127.0.0.1:1`],
    });
    expect(again.status).toBe(255);
    child.kill("SIGTERM");
    await until(() => !existsSync(there));
  });

  test("the agent of the client is there for a session, and for nobody else", async () => {
    await using agent = await startAgent();
    allow({ agent_forwarding: true });
    const command = [
      "ssh-add -l; stat -c '%U %a' $SSH_AUTH_SOCK $(dirname $SSH_AUTH_SOCK); echo $SSH_AUTH_SOCK",
    ];
    const lines = (await withAgent(agent.path, command)).split("\n");
    expect(lines[0]).toContain("The agent has no identities.");
    expect(lines.slice(1, 3)).toEqual([`${account.name} 600`, `${account.name} 700`]);
    await until(() => !existsSync(lines[3] ?? "/"));
    expect(world.eventsOf("forward.open").map(({ kind }) => kind)).toEqual(["agent", "agent"]);
    // Only where the rule says so: not saying is no yes.
    for (const silent of [{ agent_forwarding: false }, {}]) {
      allow(silent);
      expect(await withAgent(agent.path, ['echo "[$SSH_AUTH_SOCK]"'])).toBe("[]\n");
    }
    expect(denials()).toEqual(["agent_forwarding_disabled", "agent_forwarding_disabled"]);
  });

  test.each<[name: string, change: () => void, reason: string]>([
    [
      "the machine's flag",
      () => {
        world.flags = { ...world.flags, sshLocalForwarding: false };
      },
      "local_forward_disabled",
    ],
    ["an empty list", () => allow({ local_forward: [] }), "local_forward_disabled"],
    [
      "a list of others",
      () => allow({ local_forward: ["db:5432", "127.0.0.1:1"] }),
      "forward_destination_not_allowed",
    ],
    ["commands", () => allow({ commands: ["/usr/bin/uptime"] }), "local_forward_disabled"],
    [
      "an audit log that is full",
      () => {
        world.auditFails = "ERR_UNAVAILABLE";
      },
      "audit_unavailable",
    ],
  ])("-L ends at %s", async (_name, change, reason) => {
    const port = await freePort();
    start(["-L", `${port}:127.0.0.1:${echo.port}`]);
    await listening(port);
    expect(await converse({ port }, "hello ")).toBe("hello bye");
    change();
    expect(await converse({ port }, "hello ").catch(() => "")).toBe("");
    world.auditFails = false;
    if (reason !== "audit_unavailable") expect(denials()).toContain(reason);
    expect(echo.open.size).toBe(0);
  });

  test.each<[name: string, change: () => void]>([
    [
      "the machine's flag",
      () => {
        world.flags = { ...world.flags, sshRemoteForwarding: false };
      },
    ],
    ["an empty list", () => allow({ remote_forward: [] })],
    ["a list of others", () => allow({ remote_forward: ["127.0.0.1:1"] })],
    ["commands", () => allow({ commands: ["/usr/bin/uptime"] })],
  ])("-R ends at %s", async (_name, change) => {
    change();
    const port = await freePort();
    const flags = ["-N", "-o", "ExitOnForwardFailure=yes", "-R", `${port}:127.0.0.1:${echo.port}`];
    expect((await ssh.run(account.name, [], { flags })).status).toBe(255);
    expect(denials()).toHaveLength(1);
  });

  test("-R without a session is told why it is refused in the words that ssh -v shows, as by sshd", async () => {
    world.flags = { ...world.flags, sshRemoteForwarding: false };
    const flags = ["-v", "-N", "-o", "ExitOnForwardFailure=yes", "-R", `0:127.0.0.1:${echo.port}`];
    const { status, stderr } = await ssh.run(account.name, [], { flags });
    expect(status).toBe(255);
    expect(stderr).toMatch(/^debug1: Remote: Port forwarding not available.*receipt/m);
  });

  test("a socket path has no place in a list, so a list refuses it", async () => {
    const path = join(account.home, "x.sock");
    allow({ local_forward: ["*:*"], remote_forward: ["*:*"] });
    const flags = ["-N", "-o", "ExitOnForwardFailure=yes", "-R", `${path}:127.0.0.1:1`];
    expect((await ssh.run(account.name, [], { flags })).status).toBe(255);
    expect(existsSync(path)).toBe(false);
    expect(denials()).toEqual(["forward_destination_not_allowed"]);
  });

  test("all addresses are for a grant that names them, others get the loopback and are told", async () => {
    const port = await freePort();
    const child = start(["-v", "-R", `*:${port}:127.0.0.1:${echo.port}`]);
    await listening(port);
    expect(await converse({ port }, "hello ")).toBe("hello bye");
    const elsewhere = await converse({ port, host: "127.0.0.3" }, "hello ").catch((cause: unknown) => cause);
    expect(elsewhere).toMatchObject({ code: "ECONNREFUSED" });
    const destinations = world.eventsOf("forward.open").map(({ destination }) => destination);
    expect(destinations).toEqual(Array(2).fill(`localhost:${port}`));
    child.kill();
    const said = await new Response(child.stderr).text();
    expect(said).toContain(
      `Remote: -R *:${port}: listens on localhost:${port} only (the policy names no more)`,
    );
    await until(() => socketUids("local", port, "0A").length === 0);
    allow({ remote_forward: [`*:${port}`] });
    start(["-R", `*:${port}:127.0.0.1:${echo.port}`]);
    await listening(port);
    expect(await converse({ port, host: "127.0.0.3" }, "hello ")).toBe("hello bye");
  });

  test.each(["0.0.0.0", "::", "192.0.2.1"])(
    "-R %s gets the loopback, until it is cancelled by its name",
    async (host) => {
      const port = await freePort();
      const control = join(account.home, "control");
      start(["-M", "-S", control]);
      await until(() => existsSync(control));
      const forward = ["-S", control, "-R", `[${host}]:${port}:127.0.0.1:${echo.port}`];
      const ask = (order: string) => ssh.run(account.name, [], { flags: [...forward, "-O", order] });
      expect(await ask("forward")).toMatchObject({ status: 0 });
      expect(await converse({ port }, "hello ")).toBe("hello bye");
      expect(await ask("cancel")).toMatchObject({ status: 0 });
      await until(() => socketUids("local", port, "0A").length === 0);
    },
  );

  test.each(["2852039166", "[::ffff:a9fe:a9fe]", "[2002:a9fe:a9fe::1]", "169.254.169.254"])(
    "a list with every host and port does not reach %s",
    async (host) => {
      allow({ local_forward: ["*:*"] });
      const result = await w(`${host}:80`);
      expect(result.status).toBe(255);
      expect(denials()).toEqual(["forward_destination_not_allowed"]);
      // A name is looked up under a permit: what comes of it is said at its end.
      const isName = host === "2852039166";
      await until(() => world.eventsOf("forward.close").length === (isName ? 1 : 0));
      expect(world.eventsOf("forward.open")).toHaveLength(isName ? 1 : 0);
      expect(world.eventsOf("forward.close").map(({ reason }) => reason)).toEqual(
        isName ? ["forward_destination_not_allowed"] : [],
      );
    },
  );

  test("no forward is opened for whom nobody would let in, by flags that open one for who may", async () => {
    const port = await freePort();
    const flags = ["-L", `${port}:127.0.0.1:${echo.port}`, "-o", "ExitOnForwardFailure=yes"];
    allow({});
    world.flags = { ...world.flags, sshRoot: false };
    for (const user of ["root", "no-such-user"]) {
      expect((await ssh.run(user, [], { flags: ["-N", ...flags] })).status).toBe(255);
      ssh.remove();
      ssh = openSshClient(world, await world.issue());
    }
    expect(world.eventsOf("forward.open")).toEqual([]);
    expect(denials()).toEqual(["root_disabled", "account_unknown"]);
    start(flags);
    await listening(port);
    expect(await converse({ port }, "hello ")).toBe("hello bye");
    expect(world.eventsOf("forward.open")).toHaveLength(1);
  });

  test("an account that is locked after the sign-in opens nothing more", async () => {
    const port = await freePort();
    start(["-L", `${port}:127.0.0.1:${echo.port}`]);
    await listening(port);
    expect(await converse({ port }, "hello ")).toBe("hello bye");
    account.change("usermod", "--expiredate", "1");
    expect(await converse({ port }, "hello ").catch(() => "")).toBe("");
    expect(denials()).toEqual(["account_expired"]);
  });

  describe("is revoked within a second", () => {
    test.each<[name: string, change: () => void]>([
      ["when its policy is deleted", () => world.change((map) => ({ ...map, rules: {} }))],
      [
        "when its list loses it",
        () => allow({ local_forward: [`127.0.0.1:${echo.port}`], remote_forward: [] }),
      ],
      [
        "when the flag is turned off",
        () => {
          world.flags = { ...world.flags, sshRemoteForwarding: false };
          world.server.recheck();
        },
      ],
    ])("%s", async (_name, change) => {
      const [port, there] = [await freePort(), await freePort()];
      const path = join(account.home, "revoked.sock");
      const child = start([
        ...["-L", `${port}:127.0.0.1:${echo.port}`, "-R", `${there}:127.0.0.1:${echo.port}`],
        ...["-R", `${path}:127.0.0.1:${echo.port}`],
      ]);
      await listening(port);
      await listening(there);
      await until(() => existsSync(path));
      const stream = new Socket().connect(port, "127.0.0.1");
      await until(() => echo.open.size === 1);
      const cut = new Promise<void>((resolve) => stream.once("close", () => resolve()));
      stream.on("error", () => {}).resume();
      change();
      await child.exited;
      await until(
        () => socketUids("local", there, "0A").length === 0 && echo.open.size === 0 && !existsSync(path),
      );
      await cut;
      expect(await new Response(child.stderr).text()).toContain("Access revoked: ");
    });
  });

  test("data passes both ways at once, more than any buffer holds, and nothing piles up", async () => {
    const port = await freePort();
    start(["-L", `${port}:127.0.0.1:${echo.port}`]);
    await listening(port);
    const text = "0123456789abcdef".repeat(1_500_000);
    const said = await converse({ port }, text);
    expect(said.length).toBe(text.length + 3);
    expect(Bun.hash(said)).toBe(Bun.hash(`${text}bye`));
  });

  test("who does not read stops who sends, and nobody else", async () => {
    let sent = 0;
    const flood = createServer((socket) => {
      const chunk = Buffer.alloc(65_536);
      const more = (): void => {
        while (!socket.destroyed && socket.write(chunk)) sent += chunk.length;
      };
      socket.on("drain", more).on("error", () => {});
      more();
    });
    await new Promise<void>((resolve) => flood.listen(0, "127.0.0.1", resolve));
    const [port, other] = [await freePort(), await freePort()];
    const target = (flood.address() as { port: number }).port;
    start(["-L", `${port}:127.0.0.1:${target}`, "-L", `${other}:127.0.0.1:${echo.port}`]);
    await listening(other);
    const socket = new Socket().connect(port, "127.0.0.1");
    socket.pause();
    await until(() => sent > 0);
    // Until every buffer on the way is full, which beside others takes as long as it takes.
    await until("the flood to stand still", async () => {
      const before = sent;
      await Bun.sleep(300);
      return sent === before || sent > FLOOD_BYTES_MAX;
    });
    expect(sent).toBeLessThan(FLOOD_BYTES_MAX);
    expect(await converse({ port: other }, "hello ")).toBe("hello bye");
    socket.destroy();
    flood.close();
  });

  test("there are only so many streams and listeners on one connection", async () => {
    await reopen({ forwardStreamsMax: 2, forwardListenersMax: 1 });
    const [port, there, second] = [await freePort(), await freePort(), await freePort()];
    const spec = (at: number) => `${at}:127.0.0.1:${echo.port}`;
    const child = start(["-L", spec(port), "-R", spec(there), "-R", spec(second)]);
    await listening(there);
    await listening(port);
    const streams = [new Socket().connect(port, "127.0.0.1"), new Socket().connect(port, "127.0.0.1")];
    await until(() => echo.open.size === 2);
    expect(await converse({ port }, "x").catch(() => "")).toBe("");
    expect(await converse({ port: there }, "x").catch(() => "")).toBe("");
    streams[0]?.destroy();
    await until(() => echo.open.size === 1);
    await until(async () => (await converse({ port }, "x").catch(() => "")) === "xbye");
    streams[1]?.destroy();
    child.kill();
    expect(await new Response(child.stderr).text()).toContain(
      `remote port forwarding failed for listen port ${second}`,
    );
  });

  test("a stream finds the listener that its client asked for just before", async () => {
    const { client } = await signIn(world, { ...(await world.issue()), localUser: account.name });
    client.on("tcp connection", (_info, accept) => void accept().end("here"));
    const there = await freePort();
    const said = new Promise<string>((resolve, reject) => {
      client.forwardIn("127.0.0.1", there, (error) => error && reject(error));
      client.forwardOut("127.0.0.1", 1, "127.0.0.1", there, (error, channel) => {
        if (error) reject(error);
        else channel.on("data", (data: Buffer) => resolve(data.toString()));
      });
    });
    expect(await said).toBe("here");
    client.end();
  });

  test("a command begins when every listener that was asked for before is there or refused", async () => {
    const { client } = await signIn(world, { ...(await world.issue()), localUser: account.name });
    const taken = await freePort();
    const heard: string[] = [];
    const ran = Promise.withResolvers<void>();
    const ports = [taken, taken, ...(await Promise.all([1, 2, 3, 4].map(() => freePort())))];
    for (const port of ports)
      client.forwardIn("127.0.0.1", port, (error) => heard.push(error ? "refused" : "there"));
    client.exec("echo ran", (error, channel) => {
      if (error) return ran.reject(error);
      channel.on("data", (data: Buffer) => heard.push(data.toString())).on("close", () => ran.resolve());
    });
    await ran.promise;
    expect(heard).toEqual(["there", "refused", "there", "there", "there", "there", "ran\n"]);
    client.end();
  });

  test("a transport that is killed ends its listeners, and the next forward opens another", async () => {
    const [port, there] = [await freePort(), await freePort()];
    start(["-L", `${port}:127.0.0.1:${echo.port}`, "-R", `${there}:127.0.0.1:${echo.port}`]);
    await listening(there);
    await listening(port);
    for (const pid of account.pids()) process.kill(pid, "SIGKILL");
    await until(() => socketUids("local", there, "0A").length === 0);
    expect(await converse({ port }, "hello ")).toBe("hello bye");
  });

  test("the editor's pattern works: -T -D and a shell that reads its script", async () => {
    const proxy = await freePort();
    const child = Bun.spawn([...ssh.argv(account.name, ["-T", "-D", String(proxy)]), "sh"], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    child.stdin.write("echo ready; sleep 60\n");
    child.stdin.flush();
    const reader = child.stdout.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("ready\n");
    expect(await socks5(proxy, "127.0.0.1", echo.port, "hello ")).toBe("hello bye");
    child.kill("SIGKILL");
    await child.exited;
    await until(() => world.server.sessions().length === 0);
    for (const pid of account.pids()) process.kill(pid, "SIGKILL");
  });

  test("no socket of a forward stays open in the agent", async () => {
    await w(`127.0.0.1:${echo.port}`);
    await until(() => world.server.sessions().length === 0);
    const before = openSockets().length;
    for (let i = 0; i < 5; i++) {
      await w(`127.0.0.1:${echo.port}`);
      await w("127.0.0.1:1");
    }
    // Whatever has not closed by then is named.
    await until(() => openSockets().length <= before).catch(() =>
      expect({ before, open: openSockets() }).toEqual({ before, open: [] }),
    );
  });

  function denials(): (string | null)[] {
    return world
      .eventsOf("decision")
      .filter(({ decision }) => decision.outcome === "deny")
      .map(({ decision }) => decision.reason);
  }
});

/** Sockets of this process, as the kernel's tables have them. */
function openSockets(): string[] {
  const targets = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  });
  const rows = ["tcp", "tcp6", "unix"].flatMap((kind) =>
    readFileSync(`/proc/net/${kind}`, "utf8")
      .split("\n")
      .map((row) => `${kind} ${row.trim()}`),
  );
  return targets
    .filter((target) => target.startsWith("socket:"))
    .map((target) => rows.find((row) => row.split(/\s+/).includes(target.slice(8, -1))) ?? target);
}

async function startAgent(): Promise<{ path: string } & AsyncDisposable> {
  const path = join("/tmp", `qf-agent-${process.pid}`);
  const child = Bun.spawn(["ssh-agent", "-D", "-a", path], { stdout: "ignore", stderr: "ignore" });
  await until(() => existsSync(path));
  return {
    path,
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  };
}
