/**
 * Management away: a machine with `--allow-offline-logins` takes a login that its person has kept, and no
 * other.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sentenceOf } from "../../src/policy/sentences.ts";
import { renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import type { StoredMap } from "../../src/wire/agent-state-file.ts";
import type { NetworkMap } from "../../src/wire/network-map.ts";
import { type Lab, type LabAgent, type LabDevice, openLab, type Person } from "../support/lab.ts";
import { isRoot, OsAccount } from "../support/os-accounts.ts";
import { type RunResult, runProcess } from "../support/run-process.ts";

/** A group of no account: processes of it cannot reach management while a table of the test is there. */
const CUT_GROUP = "424242";

describe.skipIf(!isRoot)("while management is away", () => {
  let lab: Lab;
  let account: OsAccount;
  let devs: string;
  let ada: Person;
  let bob: Person;
  let open: LabAgent;
  let closed: LabAgent;
  let laptop: LabDevice;
  let bobs: LabDevice;
  let out: LabDevice;
  let fresh: LabDevice;
  let cutOff: RunResult;

  const echo = (device: LabDevice, machine: string) => device.ssh([`${account.name}@${machine}`, "echo in"]);
  const isDown = (agent: LabAgent) =>
    lab.until("the link to be down", async () => !(await agent.status()).management.connected, 30_000);

  beforeAll(async () => {
    account = new OsAccount("offl");
    lab = await openLab();
    devs = await lab.createGroup("Developers");
    const servers = await lab.createGroup("Servers");
    ada = await lab.createPerson("ada@example.com", [devs]);
    bob = await lab.createPerson("bob@example.com", [devs]);
    const rule = { authorized_groups: { [devs]: [account.name] } };
    await lab.createPolicy("devs", [devs], [servers], rule);
    open = await lab.startAgent("open", { groups: [servers], args: ["--allow-offline-logins"] });
    closed = await lab.startAgent("closed", { groups: [servers] });
    laptop = lab.device(ada, "laptop");
    bobs = lab.device(bob, "bobs");
    out = lab.device(ada, "out");
    fresh = lab.device(ada, "fresh");
    for (const device of [laptop, bobs, out]) await device.login();
    await lab.until("access", async () => (await echo(laptop, "open")).exitCode === 0);
    for (const device of [laptop, bobs, out]) {
      for (const machine of ["open", "closed"]) expect((await echo(device, machine)).stdout).toBe("in\n");
    }
    expect((await fresh.ssh([`${account.name}@open`, "echo in"])).stdout).toBe("in\n");
    // Kept before the logout, put back after it: a copy that somebody made.
    const kept = loginFile(out);
    const text = readFileSync(kept, "utf8");
    expect((await out.qf(["logout"])).exitCode).toBe(0);
    writeFileSync(kept, text, { mode: 0o600 });
    await lab.setGroups(bob, []);
    await lab.until("the map without bob, and with the logout", async () => {
      const map = storedMap(open);
      return map.users[bob.id]?.groups.length !== 1 && Object.keys(map.revokedLogins).length === 1;
    });
    cutOff = await withoutManagement(["ssh", `${account.name}@open`, "echo in"]);
    await lab.management?.kill();
    await Promise.all([isDown(open), isDown(closed)]);
  }, 180_000);

  /** `qf` of the laptop while management is away for it alone: the kernel refuses it to one group. */
  async function withoutManagement(args: readonly string[]): Promise<RunResult> {
    const port = new URL(lab.url).port;
    const table = `qf_cut_${process.pid}`;
    const nft = (...words: string[]) => runProcess(["nft", ...words], { env: lab.env() });
    const hook = "{ type filter hook output priority 0; }";
    const rule = `meta skgid ${CUT_GROUP} tcp dport ${port} reject with tcp reset`;
    await nft("add", "table", "inet", table);
    try {
      await nft("add", "chain", "inet", table, "out", hook);
      expect((await nft("add", "rule", "inet", table, "out", rule)).exitCode).toBe(0);
      const command = ["setpriv", "--regid", CUT_GROUP, "--keep-groups", lab.executable, ...args];
      return await runProcess(command, { env: lab.env(laptop.env()) });
    } finally {
      await nft("delete", "table", "inet", table);
    }
  }

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
    account?.[Symbol.dispose]();
  });

  test("a kept login is taken, and its person is told how", async () => {
    const result = await echo(laptop, "open");
    expect(result).toMatchObject({ exitCode: 0, stdout: "in\n" });
    expect(result.stderr).toBe(
      "qf: warning: management cannot be reached; asking open.qf.internal to take the kept login without it\n",
    );
  });

  test("a machine that hears management takes none", () => {
    expect(cutOff).toMatchObject({ exitCode: 255, stdout: "" });
    expect(cutOff.stderr).toContain(sentenceOf("management_reachable").sentence);
  });

  test("OpenSSH gets in the same way", async () => {
    const path = join(laptop.configDir, "openssh-config");
    const { executable } = lab;
    const dropIn = { executable, domain: "qf.internal", configDir: laptop.configDir, shortNames: false };
    writeFileSync(path, renderDropIn(dropIn));
    const command = ["ssh", "-F", path, `${account.name}@open.qf.internal`, "echo in"];
    const result = await runProcess(command, { env: lab.env(laptop.env()), cwd: lab.root });
    expect(result).toMatchObject({ exitCode: 0, stdout: "in\n" });
  });

  test("a machine without the flag takes none, and the client says what it wants", async () => {
    const result = await echo(laptop, "closed");
    expect(result).toMatchObject({ exitCode: 255, stdout: "" });
    expect(result.stderr).toContain("--allow-offline-logins");
  });

  test("another local user is refused by the machine's own map", async () => {
    const result = await laptop.ssh(["root@open", "echo in"]);
    expect(result).toMatchObject({ exitCode: 255, stdout: "" });
    expect(result.stderr).toContain(sentenceOf("local_user_unmapped").sentence);
    expect(result.stderr).not.toContain("--allow-offline-logins");
  });

  test("a person who was removed before is refused, and so is a login that was ended", async () => {
    const removed = await echo(bobs, "open");
    expect(removed).toMatchObject({ exitCode: 255, stdout: "" });
    // Nothing speaks of this person or this device any more, so not even the hello is answered.
    expect(removed.stderr).toContain("a policy must let this device reach the peer");
    const ended = await echo(out, "open");
    expect(ended).toMatchObject({ exitCode: 255, stdout: "" });
    expect(ended.stderr).toContain(sentenceOf("login_revoked").sentence);
  });

  test("another device is of no use with this login", async () => {
    const thief = lab.device(ada, "thief");
    copy(laptop, thief, "config.json");
    const kept = loginFile(laptop).slice(laptop.configDir.length + 1);
    expect((await thief.qf(["whoami"])).exitCode).not.toBe(127);
    for (const name of ["logins", "targets"]) {
      Bun.spawnSync(["cp", "-a", join(laptop.configDir, name), thief.configDir]);
    }
    expect(existsSync(join(thief.configDir, kept))).toBe(true);
    expect(await echo(thief, "open")).toMatchObject({ exitCode: 255, stdout: "" });
  });

  test("without a kept login one line says what there is to do", async () => {
    const result = await echo(fresh, "open");
    expect(result).toMatchObject({ exitCode: 255, stdout: "" });
    expect(result.stderr).toMatch(
      /^qf: error: cannot reach management at .*\nqf: hint: .*a login kept with qf login --ssh-jwt-cache-ttl can do without\n$/,
    );
    expect(existsSync(join(fresh.configDir, "targets"))).toBe(false);
  });

  test("a machine that was never reached with this login is not guessed at", async () => {
    const result = await echo(laptop, "elsewhere");
    expect(result).toMatchObject({ exitCode: 255, stdout: "" });
    expect(result.stderr).toContain("this login has not reached that machine before");
  });

  test("a restarted agent gives management its chance first, and then takes the login", async () => {
    const [address = ""] = (await open.status()).sshServer.listen;
    await open.down();
    await open.up(["--listen", address]);
    await isDown(open);
    await lab.until("the machine", async () => (await echo(laptop, "open")).exitCode === 0, 20_000);
  }, 60_000);

  test("management back: what changed meanwhile ends live connections, and audit catches up", async () => {
    const terminal = laptop.terminal(["ssh", `${account.name}@open`]);
    await terminal.expect(/\$ $/);
    // The machine alone is cut off; the change is made where it cannot hear of it.
    const { pid } = await open.status();
    process.kill(pid, "SIGSTOP");
    try {
      await lab.serveManagement();
      await lab.setGroups(ada, []);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    expect(await terminal.end(60_000)).toBe(255);
    expect(terminal.text).toContain("Access revoked");
    const event = await lab.until(
      "the event",
      async () =>
        (await lab.events("limit=1000")).find(
          ({ activity_code, meta }) => activity_code === "ssh.connection.open" && meta.offline === "true",
        ),
      60_000,
    );
    expect(event.initiator_id).toBe(ada.id);
    await lab.setGroups(ada, [devs]);
  }, 200_000);
});

/** The map that the machine has on disk. */
function storedMap({ stateDir }: LabAgent): NetworkMap {
  return (JSON.parse(readFileSync(join(stateDir, "map.json"), "utf8")) as StoredMap).map;
}

/** The one login that is kept on a device. */
function loginFile(device: LabDevice): string {
  const folder = join(device.configDir, "logins");
  const [name] = new Bun.Glob("login-*.json").scanSync({ cwd: folder });
  return join(folder, name ?? "");
}

function copy(from: LabDevice, to: LabDevice, file: string): void {
  writeFileSync(join(to.configDir, file), readFileSync(join(from.configDir, file)), { mode: 0o600 });
}
