/** The features of OpenSSH's client that people build on, by the drop-in of `qf ssh-config`. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { LabTerminal } from "../support/lab-terminal.ts";
import { isRoot } from "../support/os-accounts.ts";
import { openStockMachine, type StockMachine } from "../support/stock-machine.ts";

const canMount = existsSync("/dev/fuse") && Bun.which("sshfs") !== null;

describe.skipIf(!isRoot)("OpenSSH's features", () => {
  let machine: StockMachine;
  let target = "";
  /** Says `hello` to whoever comes, then what it hears. */
  let service: Server;
  let servicePort = 0;
  const running = new Set<Bun.Subprocess>();

  beforeAll(async () => {
    machine = await openStockMachine();
    target = `${machine.account.name}@${machine.host}`;
    service = createServer((socket) => {
      socket.on("error", () => {});
      socket.write("hello\n");
      socket.pipe(socket);
    });
    servicePort = await listen(service);
  }, 60_000);

  afterAll(async () => {
    for (const child of running) child.kill();
    service?.close();
    await machine?.[Symbol.asyncDispose]();
  });

  function ssh(...args: string[]) {
    return machine.run(["ssh", "-F", machine.config, ...args]);
  }

  /** ssh that stays, until the path it makes is there. */
  async function stays(path: string, ...args: string[]): Promise<void> {
    const child = Bun.spawn(["ssh", "-F", machine.config, ...args], {
      env: machine.lab.env(machine.device.env()),
      cwd: machine.lab.root,
      stdin: "ignore",
      stdout: "ignore",
      stderr: Bun.file(`${path}.log`),
    });
    running.add(child);
    await machine.lab.until(`${path}\n${readFileSync(`${path}.log`, "utf8")}`, async () => existsSync(path));
  }

  const here = (name: string) => join(machine.lab.root, name);
  const there = (name: string) => join(machine.account.home, name);

  test("a terminal has its size, its type and echo, and ends with the shell's status", async () => {
    const terminal = new LabTerminal(
      ["ssh", "-F", machine.config, "-tt", target],
      machine.lab.env(machine.device.env({ TERM: "xterm" })),
      machine.lab.root,
    );
    terminal.type("echo term=$TERM size=$(stty size); exit 9\r");
    await terminal.expect(/term=xterm size=30 100/);
    expect(await terminal.end()).toBe(9);
  });

  test.each([
    { way: "the old protocol", flag: "-O" },
    { way: "SFTP", flag: "-s" },
  ])("scp carries files and folders by $way", async ({ flag }) => {
    const folder = here(`sent${flag}`);
    mkdirSync(join(folder, "below"), { recursive: true });
    writeFileSync(join(folder, "below/name with spaces"), "kept\n", { mode: 0o640 });
    const copy = (...args: string[]) => machine.run(["scp", flag, "-qrpF", machine.config, ...args]);
    expect(await copy(folder, `${target}:`)).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await copy(`${target}:sent${flag}`, here(`back${flag}`))).toMatchObject({ exitCode: 0 });
    expect(readFileSync(here(`back${flag}/below/name with spaces`), "utf8")).toBe("kept\n");
  });

  test("an sftp batch does everything people put in one", async () => {
    writeFileSync(here("file"), "x".repeat(300_000));
    const batch =
      "mkdir d\nput file d/a\nrename d/a d/b\nchmod 600 d/b\nln -s b d/c\nls -l d\nget d/c back\nrm d/*\nrmdir d\n";
    writeFileSync(here("batch"), batch);
    const result = await machine.run(["sftp", "-q", "-F", machine.config, "-b", here("batch"), target]);
    expect(result).toMatchObject({ exitCode: 0 });
    expect(readFileSync(here("back"), "utf8").length).toBe(300_000);
  });

  test("-W leads to a port of the machine, and -J through it to another server", async () => {
    const { exitCode, stdout } = await machine.run([
      "sh",
      "-c",
      `echo over | ssh -F ${machine.config} -W 127.0.0.1:${servicePort} ${target} | head -2`,
    ]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "hello\nover\n" });
    const last = ["-p", String(machine.port), `${machine.account.name}@127.0.0.1`, "echo $SSH_CONNECTION"];
    const config = here("jump-config");
    const stock = machine.stockOptions.filter((word) => word !== "-F" && word !== "none");
    writeFileSync(config, `${readFileSync(machine.config, "utf8")}\nMatch all\n  BatchMode yes\n`);
    const jumped = await machine.run(["ssh", "-F", config, ...stock, "-J", target, ...last]);
    expect(jumped).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(` ${machine.port}`) });
  });

  test("-L and -R lead both ways, between ports and unix sockets, with -N", async () => {
    const [local, remote] = [here("local.sock"), there("remote.sock")];
    await stays(local, "-N", "-L", `${local}:127.0.0.1:${servicePort}`, "-R", `${remote}:${local}`, target);
    const heard = await ssh(target, `echo back | /usr/lib/openssh/regress/netcat -U ${remote} | head -2`);
    expect(heard.stdout).toBe("hello\nback\n");
  });

  test("-D is a SOCKS proxy, and the editor's shell beside it runs what it reads", async () => {
    const port = await freePort();
    const child = Bun.spawn(["ssh", "-F", machine.config, "-T", "-D", String(port), target, "sh"], {
      env: machine.lab.env(machine.device.env()),
      cwd: machine.lab.root,
      stdin: "pipe",
      stdout: "pipe",
      stderr: "ignore",
    });
    running.add(child);
    child.stdin.write("echo ready; exec cat\n");
    await child.stdin.flush();
    const reader = child.stdout.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("ready\n");
    for (const version of ["--socks4a", "--socks5-hostname"]) {
      const answer = await machine.run(
        [
          "curl",
          "-sS",
          "--max-time",
          "1",
          version,
          `127.0.0.1:${port}`,
          "--http0.9",
          `http://127.0.0.1:${servicePort}/`,
        ],
        {},
        10_000,
      );
      expect(answer.stdout).toStartWith("hello\nGET / HTTP");
    }
    child.stdin.write("typed\n");
    await child.stdin.flush();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("typed\n");
    await child.stdin.end();
    expect(await child.exited).toBe(0);
  }, 20_000);

  test("ControlMaster shares one connection: commands, forwards that come and go, an end", async () => {
    const control = here("ctl");
    await stays(control, "-MN", "-S", control, target);
    const shared = (...args: string[]) => ssh("-S", control, ...args);
    const all = await Promise.all([1, 2, 3, 4, 5].map((i) => shared(target, `exit ${i}`)));
    expect(all.map(({ exitCode }) => exitCode)).toEqual([1, 2, 3, 4, 5]);
    for (const i of [1, 2]) {
      const remote = there(`shared${i}.sock`);
      const forward = ["-R", `${remote}:127.0.0.1:${servicePort}`];
      expect(await shared("-O", "forward", ...forward, target)).toMatchObject({ exitCode: 0 });
      const heard = await shared(target, `/usr/lib/openssh/regress/netcat -U ${remote} </dev/null | head -1`);
      expect(heard.stdout).toBe("hello\n");
      expect(await shared("-O", "cancel", ...forward, target)).toMatchObject({ exitCode: 0 });
      expect(await shared(target, `test ! -e ${remote}`)).toMatchObject({ exitCode: 0 });
    }
    expect(await shared("-O", "exit", target)).toMatchObject({ exitCode: 0 });
  });

  test("-A lends the agent to the session and to nobody after it", async () => {
    const script = `eval $(ssh-agent) >/dev/null; trap 'kill $SSH_AGENT_PID' EXIT
      ssh-keygen -qN '' -t ed25519 -C lent -f ${here("lent")} && ssh-add -q ${here("lent")}
      ssh -F ${machine.config} -A ${target} 'echo $SSH_AUTH_SOCK; ssh-add -l'`;
    const { stdout } = await machine.run(["sh", "-c", script]);
    const [socket = "", key = ""] = stdout.split("\n");
    expect(key).toContain(" lent ");
    expect(await ssh(target, `test ! -e ${socket}; echo $? \${SSH_AUTH_SOCK-none}`)).toMatchObject({
      stdout: "0 none\n",
    });
  });

  // A container may have no /dev/fuse, and then nothing can be mounted there by anyone.
  test.skipIf(!canMount)("sshfs is a folder like any other, where there is a /dev/fuse", async () => {
    const folder = here("mounted");
    mkdirSync(folder);
    const options = ["-o", `ssh_command=ssh -F ${machine.config}`, "-o", "dir_cache=no"];
    const mounted = await machine.run(["sshfs", ...options, `${target}:`, folder]);
    expect(mounted).toMatchObject({ exitCode: 0, stderr: "" });
    try {
      const script = `set -e; cd ${folder}
        mkdir d && echo one > d/a && echo two >> d/a && mv d/a d/b && ln -s b d/c && cat d/c
        cp /bin/ls d/ls && cmp /bin/ls d/ls && chmod 600 d/b && truncate -s 3 d/b && stat -c '%a %s' d/b
        for i in $(seq 20); do echo $i > d/$i & done; wait; ls d | wc -l; df . > /dev/null; rm -r d; ls -d d 2>&1 || true`;
      const result = await machine.run(["sh", "-c", script]);
      expect(result.stdout).toBe("one\ntwo\n600 3\n23\nls: cannot access 'd': No such file or directory\n");
    } finally {
      await machine.run(["fusermount3", "-u", folder]);
    }
  });

  test("rsync keeps a tree in step, deletions as well", async () => {
    mkdirSync(here("tree/a/b"), { recursive: true });
    for (let i = 0; i < 50; i++) writeFileSync(here(`tree/a/b/${i}`), `${i}\n`);
    const rsync = (...args: string[]) =>
      machine.run(["rsync", "-a", "--delete", "-e", `ssh -F ${machine.config}`, ...args]);
    expect(await rsync(`${here("tree")}/`, `${target}:tree/`)).toMatchObject({ exitCode: 0 });
    expect(await ssh(target, "rm tree/a/b/7; date > tree/a/b/8; ls tree/a/b | wc -l")).toMatchObject({
      stdout: "49\n",
    });
    expect(await rsync(`${target}:tree/`, `${here("tree")}/`)).toMatchObject({ exitCode: 0 });
    expect(existsSync(here("tree/a/b/7"))).toBe(false);
  });
});

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
