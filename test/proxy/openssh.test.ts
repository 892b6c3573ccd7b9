/** Stock OpenSSH through `qf proxy`, with the real drop-in. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HOSTILE_NAMES } from "../support/hostile-names.ts";
import { openProxyLab, PEER, PEER_ADDRESS, type Person, type ProxyLab } from "../support/proxy-lab.ts";
import { otherHostKey } from "../support/ssh-machine.ts";
import { until } from "../support/until.ts";

const MACHINE_HAS_SSHD = existsSync("/usr/sbin/sshd") && process.getuid?.() === 0;

describe.skipIf(!MACHINE_HAS_SSHD)("OpenSSH through the proxy", () => {
  let lab: ProxyLab;
  beforeAll(async () => {
    lab = await openProxyLab();
  }, 60_000);
  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  for (const ttlSeconds of [0, 60]) {
    test(`a command runs, with a login kept for ${ttlSeconds} s`, async () => {
      const person = lab.person(`one-${ttlSeconds}`, ttlSeconds);
      const result = await person.ssh([PEER, "echo out; echo err >&2; exit 7"]);
      expect(result.stderr).toContain("err\n");
      expect(result.stdout).toBe("out\n");
      expect(result.exitCode).toBe(7);
      expect((await person.ssh([PEER_ADDRESS, "echo by address"])).stdout).toBe("by address\n");
    });

    test(`twenty ssh to one host at once all get in, with a login kept for ${ttlSeconds} s`, async () => {
      const person = lab.person(`many-${ttlSeconds}`, ttlSeconds);
      const all = await Promise.all(Array.from({ length: 20 }, (_, i) => person.ssh([PEER, `echo ${i}`])));
      expect(all.map(({ stderr }) => stderr).filter((text) => /error|denied/i.test(text))).toEqual([]);
      expect(all.map(({ stdout }) => stdout.trim())).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
      if (ttlSeconds === 0) expect(leftOf(person)).toEqual([]);
    }, 120_000);
  }

  test("where a session has a folder of its own, keys lie there and go with it", async () => {
    const person = lab.person("session", 60);
    const env = { XDG_RUNTIME_DIR: join(lab.root, "run") };
    mkdirSync(env.XDG_RUNTIME_DIR, { mode: 0o700 });
    expect((await person.ssh([PEER, "echo in"], { env })).stdout).toBe("in\n");
    expect(existsSync(join(env.XDG_RUNTIME_DIR, "qufabric/openssh", PEER))).toBe(true);
    // A job without the session's variables finds the same files.
    expect((await person.ssh([PEER, "echo in"])).stdout).toBe("in\n");
    expect(
      (await person.ssh([PEER, "echo in"], { env: { QF_TOKEN: "qft_0123456789abcdef0123" } })).stdout,
    ).toBe("in\n");
  }, 30_000);

  test("a person kept and a service user come to one host at once, each with its own", async () => {
    const person = lab.person("mixed", 60);
    const env = { QF_TOKEN: "qft_0123456789abcdef0123" };
    const runs = Array.from({ length: 12 }, (_, i) => person.ssh([PEER, `echo ${i}`], i % 2 ? { env } : {}));
    const all = await Promise.all(runs);
    expect(all.map(({ stdout }) => stdout.trim())).toEqual(Array.from({ length: 12 }, (_, i) => `${i}`));
  }, 120_000);

  test("another login takes over from one that was used a moment ago", async () => {
    const person = lab.person("again", 3_600);
    await person.ssh([PEER, "true"]);
    await person.run([lab.executable, "login"]);
    const all = await Promise.all(Array.from({ length: 4 }, () => person.ssh([PEER, "echo in"])));
    expect(all.map(({ stdout }) => stdout)).toEqual(Array(4).fill("in\n"));
  }, 60_000);

  describe("with a login kept", () => {
    let ada: Person;
    beforeAll(async () => {
      ada = lab.person("ada", 3_600);
      await ada.ssh([PEER, "true"]);
    }, 30_000);

    test("files go both ways by scp, by both of its protocols, and by sftp", async () => {
      const bytes = crypto.getRandomValues(new Uint8Array(60_000));
      const [here, there, back] = ["here", "there", "back"].map((name) => join(ada.home, name)) as [
        string,
        string,
        string,
      ];
      writeFileSync(here, bytes);
      for (const option of ["-s", "-O"]) {
        expect(
          (await ada.run(["scp", option, "-qF", ada.configPath, here, `${PEER}:${there}`])).exitCode,
        ).toBe(0);
        expect(
          (await ada.run(["scp", option, "-qF", ada.configPath, `${PEER}:${there}`, back])).exitCode,
        ).toBe(0);
        expect(Buffer.from(bytes).equals(readFileSync(back))).toBe(true);
      }
      const batch = join(ada.home, "batch");
      writeFileSync(batch, `get ${there} ${back}-sftp\n`);
      expect((await ada.run(["sftp", "-qF", ada.configPath, "-b", batch, PEER])).exitCode).toBe(0);
      expect(Buffer.from(bytes).equals(readFileSync(`${back}-sftp`))).toBe(true);
    }, 60_000);

    test("a master serves many sessions by one certificate, and asking after it makes none", async () => {
      const control = ["-o", `ControlPath=${join(ada.home, "control")}`];
      const before = minted();
      const master = Bun.spawn(["ssh", "-F", ada.configPath, "-MN", ...control, PEER], {
        env: ada.env(),
        stdio: ["ignore", "ignore", "ignore"],
      });
      try {
        await until(async () => (await ada.ssh([...control, "-O", "check", PEER])).exitCode === 0);
        for (let i = 0; i < 3; i++)
          expect((await ada.ssh([...control, PEER, "echo on"])).stdout).toBe("on\n");
        expect((await ada.ssh(["-G", ...control, PEER])).exitCode).toBe(0);
        expect(minted() - before).toBe(1);
        expect((await ada.ssh([...control, "-O", "exit", PEER])).exitCode).toBe(0);
      } finally {
        master.kill();
      }
    }, 60_000);

    test("-J leads through the peer to a host that is none", async () => {
      const before = minted();
      const result = await ada.ssh([
        "-J",
        PEER,
        ...withoutFile(lab.sshd.sshArgs),
        "127.0.0.1",
        "echo behind",
      ]);
      expect(result.stdout).toBe("behind\n");
      expect(minted() - before).toBe(1);
    }, 60_000);

    test("-W, -L, -R, a pty and the environment are OpenSSH's own", async () => {
      const banner = await ada.ssh(["-W", `127.0.0.1:${lab.sshd.port}`, PEER], { stdin: "x\n" });
      expect(banner.stdout).toMatch(/^SSH-2\.0-OpenSSH/);
      const socket = join(ada.home, "back.sock");
      const remote = await ada.ssh([
        "-R",
        `${socket}:127.0.0.1:${lab.sshd.port}`,
        PEER,
        `test -S ${socket} && echo bound`,
      ]);
      expect(remote.stdout).toBe("bound\n");
      expect((await ada.ssh(["-tt", PEER, "tty"])).stdout).toMatch(/^\/dev\/pts\/\d+/);
      const sent = await ada.ssh(["-o", "SendEnv=LC_QF", PEER, "echo $LC_QF"], { env: { LC_QF: "here" } });
      expect(sent.stdout).toBe("here\n");
    }, 60_000);

    test.each([["ProxyUseFdpass=no"], ["KnownHostsCommand=/bin/cat /etc/passwd"], ["AddKeysToAgent=yes"]])(
      "nothing is signed for an ssh that was told %s",
      async (option) => {
        const before = minted();
        const result = await ada.ssh(["-o", option, PEER, "true"]);
        expect(result.exitCode).toBe(255);
        expect(result.stderr).toContain(`qf: error: your ssh configuration changes ${option.split("=")[0]}`);
        expect(result.stderr).toContain("qf: hint: ");
        expect(minted()).toBe(before);
      },
    );

    test("a weaker line in a configuration file is noticed as soon as it is there", async () => {
      const bob = lab.person("bob", 3_600);
      expect((await bob.ssh([PEER, "true"])).exitCode).toBe(0);
      const text = readFileSync(bob.configPath, "utf8");
      writeFileSync(bob.configPath, `AddKeysToAgent yes\n${text}`);
      expect((await bob.ssh([PEER, "true"])).stderr).toContain("changes AddKeysToAgent");
      writeFileSync(bob.configPath, text);
      expect((await bob.ssh([PEER, "true"])).exitCode).toBe(0);
    }, 30_000);

    test("another port than SSH's is refused before anybody is asked", async () => {
      const before = lab.requests.length;
      const result = await ada.ssh(["-p", "443", PEER, "true"]);
      expect(result.stderr).toContain("qf: error: no SSH server of QuFabric can be at that port");
      expect(lab.requests.length).toBe(before);
      expect((await ada.ssh(["-p", "22022", PEER, "echo there"])).stdout).toBe("there\n");
    });

    test("a hostile host or port is refused before anybody is asked, and touches nothing", async () => {
      const before = lab.requests.length;
      for (const name of HOSTILE_NAMES.filter((text) => !text.includes("\0"))) {
        for (const words of [
          [name, "22"],
          [`${name}.qf.internal`, "22"],
          [PEER, name],
        ]) {
          const result = await ada.run([lab.executable, "proxy", "connect", ...words]);
          expect([words, result.exitCode === 0, result.stdout]).toEqual([words, false, ""]);
          expect(result.stderr).toMatch(/^qf: error: [^\n]+\n/);
        }
      }
      expect(lab.requests.length).toBe(before);
      expect(existsSync(join(lab.root, "MARK"))).toBe(false);
    }, 60_000);

    test("without descriptor passing the bytes go through us, both ways and to their ends", async () => {
      const command = [lab.executable, "proxy", "connect", PEER, "22"];
      const result = await ada.run(command, { stdin: "SSH-2.0-x\r\n" });
      expect(result.stdout).toMatch(/^SSH-2\.0-OpenSSH/);
      expect(result.exitCode).toBe(0);
    });
  });

  describe("where management or the machine says no", () => {
    let eve: Person;
    beforeAll(() => {
      eve = lab.person("eve", 3_600);
    });

    const cases = [
      [{ sshServer: false }, "SSH server not detected"],
      [{ connected: false, direct: [] }, "is not connected"],
      [{ machineIdentity: true }, "takes the key of this device"],
      [{ direct: ["127.0.0.1:1"] }, "Connection refused"],
    ] as const;
    test.each(cases)("%p is one line with a hint", async (change, sentence) => {
      lab.say(change);
      const result = await eve.ssh([PEER, "true"]);
      lab.say({ ...undo(change) });
      expect(result.exitCode).toBe(255);
      const lines = result.stderr.split("\n").filter((line) => line.startsWith("qf: "));
      expect(lines.map((line) => line.split(":")[1])).toEqual([" error", " hint"]);
      expect(lines[0]).toContain(sentence);
    });

    test("a denial's own sentence reaches the person, from under scp as well", async () => {
      const sentence = "User is not authorized to access this peer";
      lab.say({
        denied: { outcome: "denied", reason: "peer_not_authorized", sentence, receipt: "r".repeat(20) },
      });
      const ssh = await eve.ssh([PEER, "true"]);
      const scp = await eve.run(["scp", "-F", eve.configPath, eve.configPath, `${PEER}:/tmp/x`]);
      lab.say({ denied: undefined });
      for (const { stderr, stdout, exitCode } of [ssh, scp]) {
        expect(stderr).toContain(`qf: error: ${sentence}\n`);
        expect(stderr).toContain("receipt rrrrrrrrrrrrrrrrrrrr");
        expect([stdout, exitCode]).toEqual(["", 255]);
      }
    });

    test.each([
      ["another key", [otherHostKey()]],
      ["no key at all", []],
    ])("a machine with %s than management knows is refused by ssh", async (_what, hostKeys) => {
      lab.say({ hostKeys });
      const result = await eve.ssh([PEER, "true"]);
      lab.say({ hostKeys: lab.hostKeys });
      expect(result.exitCode).toBe(255);
      expect(result.stderr).toContain("Host key verification failed");
    });

    test("the page to sign in at is told on stderr, and stdout is the command's alone", async () => {
      const person = lab.person("fresh", 0);
      const result = await person.ssh([PEER, "echo alone"]);
      expect(result.stdout).toBe("alone\n");
      expect(result.stderr).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/approve-me$/m);
    }, 30_000);
  });

  /** Keys that were certified and still lie where ssh reads them. */
  function leftOf(person: Person): string[] {
    return person.keyFiles().filter((name) => {
      const path = join(person.home, ".config/qufabric/openssh", name);
      const text = readFileSync(path, "utf8");
      return [...lab.loginKeys].some((key) =>
        Buffer.from(text.replace(/-----[^\n]+-----|\n/g, ""), "base64").includes(
          Buffer.from(key, "base64url"),
        ),
      );
    });
  }

  function minted(): number {
    return lab.requests.filter((path) => path === "/client/v1/certificates").length;
  }

  function undo(change: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return Object.fromEntries(Object.keys(change).map((name) => [name, lab.target[name]]));
  }
});

/** The options of `openSshd` behind a jump: a file of our own stays named. */
function withoutFile(args: readonly string[]): string[] {
  return args.slice(2);
}
