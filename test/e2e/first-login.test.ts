/**
 * The main job, end to end: a person signs in with an identity provider and is somebody on another machine.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Lab, LabAgent, LabDevice, Person } from "../support/lab.ts";
import { LabTerminal } from "../support/lab-terminal.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { runProcess } from "../support/run-process.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";
import { signIn } from "../support/sign-in.ts";

describe.skipIf(!isRoot)("a first login", () => {
  let setUp: SetUp;
  let lab: Lab;
  let deploy: OsAccount;
  let agent: LabAgent;
  let ada: Person;
  let laptop: LabDevice;

  beforeAll(async () => {
    setUp = await openSetUp({ accounts: [["deploy"]], login: false });
    ({ lab, account: deploy, person: ada, agent, device: laptop } = setUp);
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  const admin = () => ({ QF_MANAGEMENT_URL: lab.url, QF_TOKEN: lab.token });

  test("a command runs as the local user, by a sign-in in the browser on this machine", async () => {
    const result = await laptop.ssh([`${deploy.name}@web1`, "id -un; echo out; echo err >&2; exit 7"]);
    expect(result.stdout).toBe(`${deploy.name}\nout\n`);
    expect(result.stderr).toContain("err\n");
    expect(result.exitCode).toBe(7);
  });

  test("the peer's full name and overlay address name it as well", async () => {
    await laptop.login();
    const status = await agent.status();
    for (const name of ["web1.qf.internal", status.self?.address ?? ""]) {
      const result = await laptop.ssh([`${deploy.name}@${name}`, "echo", "here"]);
      expect(result).toMatchObject({ exitCode: 0, stdout: "here\n" });
    }
  });

  test("qf ls says where this person may log in, and as whom", async () => {
    const listed = await laptop.qf(["ls"]);
    expect(listed).toMatchObject({ exitCode: 0 });
    expect(listed.stdout).toMatch(new RegExp(`web1 +100\\.\\S+ +online +${deploy.name}\n`));
  });

  test("standard input reaches the command, and its end as well", async () => {
    const input = "x".repeat(300_000);
    const result = await laptop.ssh([`${deploy.name}@web1`, "wc -c"], { stdin: input });
    expect(result).toMatchObject({ exitCode: 0, stdout: "300000\n" });
  });

  test("a command killed by a signal is told as 128 and the signal", async () => {
    const result = await laptop.ssh([`${deploy.name}@web1`, "kill -TERM $$"]);
    expect(result.exitCode).toBe(143);
  });

  test("a shell on a terminal works like one", async () => {
    const terminal = laptop.terminal(["ssh", `${deploy.name}@web1`]);
    await terminal.expect(/\$ $/);
    terminal.type("tty; stty size; echo home=$PWD user=$USER\r");
    await terminal.expect(/\/dev\/pts\/\d+/);
    await terminal.expect(/30 100/);
    await terminal.expect(new RegExp(`home=${deploy.home} user=${deploy.name}`));
    terminal.type("exit 5\r");
    expect(await terminal.end()).toBe(5);
  });

  test("the keys and ways of the terminal here are those of the terminal there", async () => {
    const words = ["sh", "-c", `stty erase ^H intr ^X -echoctl; exec "$0" ssh ${deploy.name}@web1`];
    const terminal = new LabTerminal(
      [...words, lab.executable],
      lab.env(laptop.env({ TERM: "xterm" })),
      lab.root,
    );
    await terminal.expect(/\$ $/);
    terminal.type("stty -a\r");
    await terminal.expect(/erase = \^H;/);
    expect(terminal.text).toMatch(/intr = \^X;/);
    expect(terminal.text).toMatch(/ -echoctl /);
    terminal.type("exit\r");
    expect(await terminal.end()).toBe(0);
  });

  test("~. at the start of a line ends the connection", async () => {
    const terminal = laptop.terminal(["ssh", `${deploy.name}@web1`]);
    await terminal.expect(/\$ $/);
    terminal.type("\r~.");
    expect(await terminal.end()).toBe(255);
  });

  test("a hosted login prints its URL, shows what it is for, and takes the code back", async () => {
    const phone = lab.device(ada, "phone");
    const terminal = phone.terminal(["login", "--no-browser"], { BROWSER: "" });
    const url = (await terminal.expect(/^(http\S+)\s*$/m))[1] ?? "";
    const visit = await signIn(url, { email: ada.email, password: ada.password });
    expect(visit.code).toMatch(/^[A-Z0-9]{4}-?[A-Z0-9]{4}$/);
    terminal.type(`${visit.code}\r`);
    expect(await terminal.end()).toBe(0);
    const whoami = await phone.qf(["whoami", "--json"]);
    expect(JSON.parse(whoami.stdout)).toMatchObject({ user: { email: ada.email } });
  });

  test("a wrong code issues nothing", async () => {
    const phone = lab.device(ada, "phone2");
    const terminal = phone.terminal(["login", "--no-browser"], { BROWSER: "" });
    const url = (await terminal.expect(/^(http\S+)\s*$/m))[1] ?? "";
    await signIn(url, { email: ada.email, password: ada.password });
    for (let i = 0; i < 5; i++) {
      const before = terminal.text.length;
      terminal.type("AAAA-AAAA\r");
      await lab.until("an answer", async () => terminal.text.length > before + 12);
    }
    expect(await terminal.end()).not.toBe(0);
    expect(
      (await phone.ssh([`${deploy.name}@web1`, "true"], { env: { BROWSER: "", QF_NO_BROWSER: "1" } }))
        .exitCode,
    ).toBe(255);
  });

  test("with login_confirmation click the terminal goes on by itself", async () => {
    const [account] = await lab.api<{ id: string; settings: Record<string, unknown> }[]>(
      "GET",
      "/api/accounts",
    );
    const change = (login_confirmation: string) =>
      lab.api("PUT", `/api/accounts/${account?.id}`, {
        settings: { ...account?.settings, login_confirmation },
      });
    await change("click");
    const ci = lab.device(ada, "ci");
    const child = ci.spawn(["ssh", `${deploy.name}@web1`, "echo", "clicked"], {
      BROWSER: "",
      QF_NO_BROWSER: "1",
    });
    let stderr = "";
    const reading = (async () => {
      for await (const chunk of child.stderr) stderr += new TextDecoder().decode(chunk);
    })();
    const url = await lab.until("the URL", async () => /^(http\S+)\s*$/m.exec(stderr)?.[1]);
    await signIn(url, { email: ada.email, password: ada.password });
    expect(await new Response(child.stdout).text()).toBe("clicked\n");
    await reading;
    expect(await child.exited).toBe(0);
    await change("code");
  });

  test("without a cache every connection signs in anew; with one it does not", async () => {
    const log = join(lab.root, "browser.log");
    const count = (): number => {
      try {
        return readFileSync(log, "utf8").trim().split("\n").length;
      } catch {
        return 0;
      }
    };
    const device = lab.device(ada, "cache");
    const env = { QF_TEST_BROWSER_LOG: log };
    await device.ssh([`${deploy.name}@web1`, "true"], { env });
    await device.ssh([`${deploy.name}@web1`, "true"], { env });
    expect(count()).toBe(2);
    await device.qf(["login", "--ssh-jwt-cache-ttl", "600"], { env });
    await device.ssh([`${deploy.name}@web1`, "true"], { env });
    await device.ssh([`${deploy.name}@web1`, "true"], { env });
    expect(count()).toBe(3);
    await device.qf(["logout"], { env });
    await device.ssh([`${deploy.name}@web1`, "true"], { env });
    expect(count()).toBe(4);
  });

  test("a login is said to go with the session, where it is kept in the session's own folder", async () => {
    const runtime = (name: string, mode: number): string => {
      const path = join(lab.root, name);
      mkdirSync(path);
      chmodSync(path, mode);
      return path;
    };
    const rows: [folder: string, goes: boolean, kept: boolean][] = [
      [runtime("runtime", 0o700), true, true],
      // Nobody keeps a login where others may look.
      [runtime("open", 0o755), false, true],
      ["", false, true],
      [runtime("unkept", 0o700), false, false],
    ];
    for (const [folder, goes, kept] of rows) {
      const device = lab.device(ada, `keeps-${rows.findIndex(([one]) => one === folder)}`);
      const args = ["login", "--ssh-jwt-cache-ttl", kept ? "600" : "0"];
      const { stdout } = await device.qf(args, { env: { XDG_RUNTIME_DIR: folder } });
      expect([stdout.includes("your last session"), stdout.includes("kept until")]).toEqual([goes, kept]);
      // It is as it says.
      if (kept && folder !== "") expect(existsSync(join(folder, "qufabric"))).toBe(goes);
    }
  });

  test("several logins at once each have their own state", async () => {
    const devices = Array.from({ length: 5 }, (_, i) => lab.device(ada, `many${i}`));
    const results = await Promise.all(
      devices.map((device, i) => device.ssh([`${deploy.name}@web1`, `echo ${i}`])),
    );
    expect(results.map((result) => result.stdout)).toEqual(["0\n", "1\n", "2\n", "3\n", "4\n"]);
  });

  test("status lists who is on the machine", async () => {
    const child = laptop.spawn(["ssh", `${deploy.name}@web1`, "sleep 30"]);
    const session = await lab.until("the session", async () =>
      // Those of the tests before may still be about to end.
      (await agent.status()).sshServer.sessions.find(({ command }) => command?.startsWith("sleep")),
    );
    expect(session).toMatchObject({
      localUser: deploy.name,
      user: ada.email,
      command: "sleep [1 args]",
      forwards: [],
    });
    child.kill("SIGTERM");
    await child.exited;
  });

  test("audit has login, certificate, decision with trace, connection, session and its end", async () => {
    type Event = Awaited<ReturnType<typeof lab.events>>[number];
    const isMine = (event: Event): boolean =>
      event.activity_code === "ssh.session.start" && JSON.stringify(event.data).includes("echo audited");
    await laptop.ssh([`${deploy.name}@web1`, "echo audited"]);
    const events = await lab.until("the session's end", async () => {
      const kept = await lab.events("limit=1000");
      const all = kept.filter(({ activity_code }) => activity_code !== "agent.batch");
      // The newest may still be the end of a connection of the test before.
      const isOver = all[0]?.activity_code.startsWith("ssh.connection.close") && all.some(isMine);
      return isOver ? all : undefined;
    });
    const codes = new Set(events.map((event) => event.activity_code));
    const wanted = [
      "login",
      "certificate.issue",
      "ssh.decision.allow",
      "ssh.connection.open",
      "ssh.session.start",
      "ssh.session.end",
      "policy.add",
      "user.create",
      "peer.setupkey.add",
    ];
    expect(wanted.filter((code) => !codes.has(code as never))).toEqual([]);
    const decision = events.find((event) => event.activity_code === "ssh.decision.allow");
    expect(JSON.stringify(decision?.data)).toContain('"outcome":"granted"');
    expect(events.find(isMine)).toMatchObject({ initiator_id: ada.id });
  });

  test("nothing secret is in any log or audit event", async () => {
    const text = [lab.managementLog(), agent.log(), JSON.stringify(await lab.events("limit=1000"))].join(
      "\n",
    );
    expect(text).not.toContain(ada.password);
    expect(text).not.toContain(lab.token);
    expect(text).not.toMatch(/eyJ[A-Za-z0-9_-]{20,}\.eyJ/);
    expect(text).not.toContain("PRIVATE KEY");
  });

  test("qf up as tutorials write it signs a person in on their own computer, and enrols nothing", async () => {
    const { uid, gid } = statSync(deploy.home);
    const own = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", lab.executable];
    const env = lab.env({
      ...{ HOME: deploy.home, QF_MANAGEMENT_URL: lab.url, QF_NO_BROWSER: "1", TERM: "xterm" },
    });
    const up = new LabTerminal([...own, "up", "--ssh-jwt-cache-ttl", "3600"], env, "/");
    const { code } = await signIn((await up.expect(/^(http\S+)\s*$/m))[1] ?? "", ada);
    up.type(`${code}\n`);
    expect(await up.end()).toBe(0);
    expect(up.text).toContain("kept until");
    const run = (...args: string[]) => runProcess([...own, ...args], { env, cwd: "/" });
    expect((await run("ssh", `${deploy.name}@web1`, "echo in")).stdout).toBe("in\n");
    expect(await run("status")).toMatchObject({ exitCode: 0 });
    const peers = JSON.parse((await lab.qf(["peer", "list", "--json"], { env: admin() })).stdout);
    expect(peers.filter(({ kind }: { kind: string }) => kind === "machine")).toHaveLength(1);
  });
});
