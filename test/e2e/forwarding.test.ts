/**
 * `qf ssh` with -L, -R, -D, -W, -A and unix sockets, against a real agent: what is allowed, and what is next
 * to it.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { findControlSocket } from "../../src/agent/control-socket/control-client.ts";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import { sentenceOf } from "../../src/policy/sentences.ts";
import { converse, type Echo, freePort, startEcho } from "../support/echo.ts";
import type { Lab, LabAgent, LabDevice } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";
import { socketUids } from "../support/sockets.ts";
import { socks4a, socks5 } from "../support/socks.ts";

const FORWARDING = ["--enable-ssh-local-port-forwarding", "--enable-ssh-remote-port-forwarding"];

describe.skipIf(!isRoot)("forwarding by qf ssh", () => {
  let setUp: SetUp;
  let lab: Lab;
  let deploy: OsAccount;
  let ops: OsAccount;
  let uid: number;
  let agent: LabAgent;
  let laptop: LabDevice;
  let echo: Echo;
  let listedPort: number;
  const running: Bun.Subprocess[] = [];

  beforeAll(async () => {
    echo = await startEcho();
    listedPort = await freePort();
    const listed = {
      local_forward: [`127.0.0.1:${echo.port}`],
      remote_forward: [`127.0.0.1:${listedPort}`],
    };
    setUp = await openSetUp({
      accounts: [["deploy"], ["ops"]],
      policies: [
        { logins: ["deploy"], rule: { ssh: { agent_forwarding: true } } },
        { name: "listed", logins: ["ops"], rule: { ssh: listed } },
      ],
      machines: { web1: FORWARDING },
    });
    ({ lab, account: deploy, agent, device: laptop } = setUp);
    ops = setUp.accountNamed("ops");
    uid = statSync(deploy.home).uid;
  }, 120_000);

  afterEach(async () => {
    for (const child of running.splice(0)) {
      child.kill("SIGTERM");
      await child.exited;
    }
    await lab.until("the end of every session", async () => (await sessions()).length === 0);
  });

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
    await echo?.[Symbol.asyncDispose]();
  });

  const sessions = async () => (await agent.status()).sshServer.sessions;

  /** Starts `qf ssh -N …` and waits until the machine shows `forwards` of it. */
  function start(args: readonly string[], localUser = deploy.name, env: Record<string, string> = {}) {
    const child = laptop.spawn(["ssh", "-N", ...args, `${localUser}@web1`], env);
    running.push(child);
    return child;
  }

  const listening = (port: number) =>
    lab.until(`port ${port}`, async () => socketUids("local", port, "0A").length > 0);

  test("-L leads to what the machine reaches, dialled as the user, and is on record", async () => {
    const port = await freePort();
    start(["-L", `${port}:127.0.0.1:${echo.port}`]);
    await listening(port);
    const { Socket } = await import("node:net");
    const socket = new Socket().connect(port, "127.0.0.1");
    await lab.until("the stream", async () => echo.open.size === 1);
    expect(socketUids("remote", echo.port, "01")).toEqual([uid]);
    // The kernel knows of the connection a moment before the agent has its descriptor.
    const listed = await lab.until("the forward", async () => {
      const all = await sessions();
      return all[0]?.forwards.length === 1 ? all : undefined;
    });
    expect(listed.map(({ localUser, forwards }) => [localUser, forwards])).toEqual([
      [deploy.name, [`-L 127.0.0.1:${echo.port}`]],
    ]);
    socket.destroy();
    expect(await converse({ port }, "hello ")).toBe("hello bye");
    const events = await lab.until("the record", async () => {
      const all = await lab.events();
      const found = all.filter(({ activity_code }) => activity_code === "ssh.forward.open");
      return found.length >= 2 && found;
    });
    expect(events[0]?.data).toMatchObject({ kind: "local", destination: `127.0.0.1:${echo.port}` });
    const closed = await lab.until("the ends", async () => {
      const all = await lab.events();
      const found = all.filter(({ activity_code }) => activity_code === "ssh.forward.close");
      return found.length >= 2 && found;
    });
    const moved = { bytes_in: String("hello ".length), bytes_out: String("hello bye".length) };
    expect(closed.map(({ meta }) => meta)).toContainEqual(
      expect.objectContaining({ destination: `127.0.0.1:${echo.port}`, reason: "ended", ...moved }),
    );
  });

  test("many megabytes pass unchanged, both ways at once", async () => {
    const port = await freePort();
    start(["-L", `${port}:127.0.0.1:${echo.port}`]);
    await listening(port);
    const text = "0123456789abcdef".repeat(1_000_000);
    const said = await converse({ port }, text);
    expect(said.length).toBe(text.length + 3);
    expect(Bun.hash(said)).toBe(Bun.hash(`${text}bye`));
  });

  test("-D is a SOCKS proxy of version 4a and 5", async () => {
    const port = await freePort();
    start(["-D", String(port)]);
    await listening(port);
    for (const socks of [socks4a, socks5]) {
      expect(await socks(port, "localhost", echo.port, "hello ")).toBe("hello bye");
    }
    const refused = await socks5(port, "127.0.0.1", 1, "x").catch((cause: Error) => cause.message);
    expect(refused).toBe("refused 5");
  });

  test("-W joins stdin and stdout", async () => {
    const args = ["-W", `127.0.0.1:${echo.port}`, `${deploy.name}@web1`];
    expect(await laptop.ssh(args, { stdin: "hello " })).toMatchObject({ exitCode: 0, stdout: "hello bye" });
  });

  test("-R listens there as the user, and leads back here", async () => {
    const port = await freePort();
    start(["-R", `${port}:127.0.0.1:${echo.port}`]);
    await listening(port);
    expect(socketUids("local", port, "0A")).toEqual([uid]);
    const listed = await lab.until("the forward", async () => {
      const [session] = await sessions();
      return session?.forwards.length === 1 ? session : undefined;
    });
    expect(listed.forwards).toEqual([`-R localhost:${port}`]);
    expect(await converse({ port }, "hello ")).toBe("hello bye");
  });

  test("-R 0 says which port it got", async () => {
    const child = start(["-R", `0:127.0.0.1:${echo.port}`]);
    const reader = child.stderr.getReader();
    const line = new TextDecoder().decode((await reader.read()).value);
    reader.releaseLock();
    const port = Number(/^Allocated port (\d+) for remote forward to/.exec(line)?.[1]);
    expect(await converse({ port }, "hello ")).toBe("hello bye");
  });

  test("-R alone is a SOCKS proxy there", async () => {
    const port = await freePort();
    start(["-R", String(port)]);
    await listening(port);
    expect(await socks5(port, "127.0.0.1", echo.port, "hello ")).toBe("hello bye");
  });

  test("unix sockets are forwarded both ways, and are their user's", async () => {
    const there = join(deploy.home, "there.sock");
    const here = join(lab.root, "here.sock");
    start(["-R", `${there}:127.0.0.1:${echo.port}`, "-L", `${here}:${there}`]);
    await lab.until("both sockets", async () => existsSync(there) && existsSync(here));
    expect(statSync(there)).toMatchObject({ uid });
    expect(statSync(there).mode & 0o777).toBe(0o600);
    expect(statSync(here).mode & 0o777).toBe(0o600);
    // A socket is there a moment before anybody listens at it.
    const said = await lab.until("an answer", () =>
      converse({ path: here }, "hello ").catch(() => undefined),
    );
    expect(said).toBe("hello bye");
    running[0]?.kill("SIGTERM");
    await lab.until("neither socket", async () => !existsSync(there) && !existsSync(here));
  });

  test("the machine's control socket gives no vouch to a guest, by -L or from a session", async () => {
    const control = await findControlSocket(agent.stateDir);
    // As in /var/lib: anybody may ask for the status.
    chmodSync(lab.root, 0o711);
    const request = JSON.stringify({ do: "vouch", deviceKey: generateEd25519().publicKey });
    const here = join(lab.root, "control-here.sock");
    start(["-L", `${here}:${control}`]);
    await lab.until("the socket", async () => existsSync(here));
    const ask = `perl -MIO::Socket::UNIX -e '
      $s = IO::Socket::UNIX->new($ARGV[0]) or die "none"; print $s "$ARGV[1]\\n"; print while <$s>'`;
    const said = await lab.until("an answer", async () => {
      const argv = ["sh", "-c", `${ask} '${here}' '${request}'`];
      const text = await new Response(Bun.spawn(argv, { stderr: "ignore" }).stdout).text();
      return text === "" ? undefined : text;
    });
    expect(JSON.parse(said)).toMatchObject({ ok: false, code: "ERR_PERMISSION" });
    for (const prefix of ["", "setsid -w "]) {
      const command = `${prefix}${ask} '${control}' '${request}'`;
      expect((await laptop.ssh([`${deploy.name}@web1`, command])).stdout).toContain("ERR_PERMISSION");
    }
    expect(JSON.stringify(await lab.api("GET", "/api/peers"))).not.toContain("vouched_by");
  });

  test("-A lends the person's agent, and takes it away with the connection", async () => {
    const path = join(lab.root, "agent.sock");
    await using _agent = await startEcho(path);
    const command = `perl -MIO::Socket::UNIX -e '
      $s = IO::Socket::UNIX->new($ENV{SSH_AUTH_SOCK}) or die "none"; print $s "keys? "; shutdown($s, 1);
      print while <$s>'; echo; stat -c "%U %a" "$SSH_AUTH_SOCK" "$(dirname "$SSH_AUTH_SOCK")"; echo "$SSH_AUTH_SOCK"`;
    const result = await laptop.ssh(["-A", `${deploy.name}@web1`, command], { env: { SSH_AUTH_SOCK: path } });
    const [answer, socket, folder, place] = result.stdout.split("\n");
    expect([answer, socket, folder]).toEqual(["keys? bye", `${deploy.name} 600`, `${deploy.name} 700`]);
    await lab.until("the socket's end", async () => !existsSync(place ?? "/"));
  });

  test("-A is refused by the policy and without a local agent, and the session goes on", async () => {
    const command = 'echo "[$SSH_AUTH_SOCK]"';
    await using _agent = await startEcho(join(lab.root, "agent2.sock"));
    const env = { SSH_AUTH_SOCK: join(lab.root, "agent2.sock") };
    const refused = await laptop.ssh(["-A", `${ops.name}@web1`, command], { env });
    expect(refused).toMatchObject({ exitCode: 0, stdout: "[]\n" });
    expect(refused.stderr).toContain("the peer does not take your SSH agent");
    const none = await laptop.ssh(["-A", `${deploy.name}@web1`, command]);
    expect(none).toMatchObject({ exitCode: 0, stdout: "[]\n" });
    expect(none.stderr).toContain("SSH_AUTH_SOCK is not set");
  });

  test("the session's end waits for its streams, as ssh(1) does", async () => {
    const port = await freePort();
    const child = laptop.spawn([
      "ssh",
      "-L",
      `${port}:127.0.0.1:${echo.port}`,
      `${deploy.name}@web1`,
      "sleep 1",
    ]);
    running.push(child);
    await listening(port);
    const { Socket } = await import("node:net");
    const socket = new Socket().connect(port, "127.0.0.1");
    await lab.until("the stream", async () => echo.open.size === 1);
    await Bun.sleep(1_500);
    expect(child.exitCode).toBeNull();
    socket.end("x");
    socket.resume();
    expect(await child.exited).toBe(0);
  });

  describe("a list in the policy", () => {
    const w = (destination: string) =>
      laptop.ssh(["-W", destination, `${ops.name}@web1`], { stdin: "hello " });

    test("lets through what is in it", async () => {
      expect(await w(`127.0.0.1:${echo.port}`)).toMatchObject({ exitCode: 0, stdout: "hello bye" });
    });

    test.each([
      ["the same host under another name", () => `localhost:${echo.port}`],
      ["another port of the same host", () => `127.0.0.1:${listedPort}`],
    ])("refuses %s, with its sentence", async (_name, destination) => {
      const result = await w(destination());
      expect(result.exitCode).toBe(255);
      expect(result.stderr).toContain(sentenceOf("forward_destination_not_allowed").sentence);
      expect(result.stderr).toMatch(/receipt [a-z0-9]{20}/);
    });

    test("lets -R listen at what is in it, and at nothing else", async () => {
      start(["-R", `${listedPort}:127.0.0.1:${echo.port}`], ops.name);
      await listening(listedPort);
      expect(await converse({ port: listedPort }, "hello ")).toBe("hello bye");
      const other = await freePort();
      const refused = await laptop.ssh([
        ...["-N", "-o", "ExitOnForwardFailure=yes", "-R", `${other}:127.0.0.1:1`, `${ops.name}@web1`],
      ]);
      expect(refused.exitCode).toBe(255);
      expect(refused.stderr).toContain(`Cannot bind to port ${other} on the peer`);
    });
  });

  test.each([
    ["a literal", "169.254.169.254:80"],
    ["an IPv4-mapped address", "[::ffff:169.254.169.254]:80"],
    ["the same in hexadecimal", "[::ffff:a9fe:a9fe]:80"],
    ["a NAT64 address", "[64:ff9b::a9fe:a9fe]:80"],
    ["a decimal number", "2852039166:80"],
    ["a hexadecimal number", "0xa9fea9fe:80"],
    ["fewer parts", "169.254.43518:80"],
    ["a link-local address", "[fe80::1]:80"],
    ["a long notation", "[fd00:ec2:0:0:0:0:0:254]:80"],
  ])("the credentials of a cloud are not to be had by %s", async (_name, destination) => {
    const result = await laptop.ssh(["-W", destination, `${deploy.name}@web1`], { stdin: "" });
    expect(result.exitCode).toBe(255);
    expect(result.stderr).toContain(sentenceOf("forward_destination_not_allowed").sentence);
  });

  test("failures of the network are told apart from refusals", async () => {
    const closed = await laptop.ssh(["-W", "127.0.0.1:1", `${deploy.name}@web1`], { stdin: "" });
    expect(closed).toMatchObject({ exitCode: 255 });
    expect(closed.stderr).toContain("qf: error: 127.0.0.1:1: Connection refused");
    const unknown = await laptop.ssh(["-W", "no-such-host.invalid:1", `${deploy.name}@web1`], { stdin: "" });
    expect(unknown.stderr).toContain("Name or service not known");
  });

  test.each([
    ["a privileged port", () => "81:127.0.0.1:1"],
    ["a port in use", () => `${echo.port}:127.0.0.1:1`],
  ])("-R is not let listen at %s", async (_name, spec) => {
    const args = ["-N", "-o", "ExitOnForwardFailure=yes", "-R", spec(), `${deploy.name}@web1`];
    const result = await laptop.ssh(args);
    expect(result.exitCode).toBe(255);
    expect(result.stderr).toMatch(/qf: error: Cannot bind to port \S+ on the peer\nqf: hint: /);
  });

  test.each(["*", "127.0.0.2"])("-R %s gets the loopback of the machine, and says so", async (host) => {
    const port = await freePort();
    const spec = `${host}:${port}:127.0.0.1:${echo.port}`;
    const script = `exec 3<>/dev/tcp/127.0.0.1/${port}; printf over >&3; head -c 4 <&3`;
    const result = await laptop.ssh(["-R", spec, `${deploy.name}@web1`, script]);
    expect(result).toMatchObject({ exitCode: 0, stdout: "over" });
    expect(result.stderr).toContain(`-R ${host}:${port}: listens on localhost:${port} only`);
  });

  test("a port in use here is said, and stops only who wants it to", async () => {
    const spec = ["-L", `${echo.port}:127.0.0.1:1`, `${deploy.name}@web1`];
    const strict = await laptop.ssh(["-o", "ExitOnForwardFailure=yes", ...spec, "echo", "ran"]);
    expect(strict).toMatchObject({ exitCode: 255, stdout: "" });
    const lenient = await laptop.ssh([...spec, "echo", "ran"]);
    expect(lenient).toMatchObject({ exitCode: 0, stdout: "ran\n" });
    for (const { stderr } of [strict, lenient])
      expect(stderr).toContain(`Cannot bind to port ${echo.port}\n`);
  });

  test("nobody forwards without being let in", async () => {
    const port = await freePort();
    for (const user of ["root", "no-such-user"]) {
      const result = await laptop.ssh(["-N", "-L", `${port}:127.0.0.1:${echo.port}`, `${user}@web1`]);
      expect(result.exitCode).not.toBe(0);
      expect(result.stderr).toContain("qf: error: ");
    }
    expect(socketUids("local", port)).toEqual([]);
  });

  test("-J is not needed for a peer, and leads on by hand for any other host", async () => {
    const peer = await laptop.ssh(["-J", "gate", `${deploy.name}@web1`, "echo", "here"]);
    expect(peer).toMatchObject({ exitCode: 0, stdout: "here\n" });
    expect(peer.stderr).toContain("reached without gate");
    const other = await laptop.ssh(["-J", "web1", "db.example.com"]);
    expect(other.exitCode).toBe(255);
    expect(other.stderr).toContain("ssh -o ProxyCommand='qf ssh -W %h:%p web1' db.example.com");
  });

  test("a machine without the flags forwards nothing, and says which flag is missing", async () => {
    await agent.up(FORWARDING.map((flag) => `${flag}=false`));
    try {
      const local = await laptop.ssh(["-W", `127.0.0.1:${echo.port}`, `${deploy.name}@web1`], { stdin: "" });
      expect(local.exitCode).toBe(255);
      expect(local.stderr).toContain(sentenceOf("local_forward_disabled").sentence);
      expect(local.stderr).toContain("--enable-ssh-local-port-forwarding");
      const port = await freePort();
      const args = [
        "-N",
        "-o",
        "ExitOnForwardFailure=yes",
        "-R",
        `${port}:127.0.0.1:1`,
        `${deploy.name}@web1`,
      ];
      expect((await laptop.ssh(args)).stderr).toContain(`Cannot bind to port ${port} on the peer`);
    } finally {
      await agent.up(FORWARDING);
    }
  });
});
