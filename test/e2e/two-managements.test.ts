/** Two management processes on one PostgreSQL, behind a load balancer, are one service. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type Balancer, openBalancer } from "../support/balancer.ts";
import { type Lab, type LabAgent, type LabDevice, OWNER, openLab } from "../support/lab.ts";
import { isRoot, OsAccount } from "../support/os-accounts.ts";
import { hasPostgres, testPostgres } from "../support/postgres.ts";

interface Management {
  readonly child: Bun.Subprocess;
  readonly port: number;
}

describe.skipIf(!hasPostgres || !isRoot)("two managements on one PostgreSQL", () => {
  let lab: Lab;
  let balancer: Balancer;
  let account: OsAccount;
  let environment: Record<string, string>;
  let first: Management;
  let second: Management;
  let agent: LabAgent;
  let device: LabDevice;
  const children: Bun.Subprocess[] = [];

  /** Each has a data folder of its own; database, master key and public URL are common. */
  async function serve(name: string): Promise<Management> {
    const child = Bun.spawn(
      [
        ...[lab.executable, "management", "serve", "--listen", "127.0.0.1:0"],
        ...["--data-dir", join(lab.root, name), "--master-key-file", join(lab.root, "master.key")],
        ...["--public-url", lab.url],
      ],
      {
        env: lab.env(environment),
        stdin: "ignore",
        stdout: "ignore",
        stderr: Bun.file(join(lab.root, `${name}.log`)),
      },
    );
    children.push(child);
    const port = await lab.until("its port", async () => listeningPort(child.pid));
    await lab.until("readiness", async () =>
      fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    return { child, port };
  }

  const at = async <T>(server: Management, method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      headers: { authorization: `Token ${lab.token}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(10_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect(response.status).toBeLessThan(300);
    return (await response.json()) as T;
  };

  beforeAll(async () => {
    account = new OsAccount("two");
    balancer = await openBalancer();
    lab = await openLab({ start: false });
    lab.url = `http://127.0.0.1:${balancer.port}`;
    environment = { QF_DATABASE_URL: await (await testPostgres()).emptyDatabase() };
    const made = await lab.qf(
      [
        ...["management", "init", "--data-dir", join(lab.root, "init"), "--owner-email", OWNER.email],
        ...["--owner-password-stdin", "--master-key-file", join(lab.root, "master.key")],
      ],
      { stdin: `${OWNER.password}\n`, env: environment },
    );
    expect(made.stderr).toBe("");
    Object.assign(lab, JSON.parse(made.stdout));
    [first, second] = await Promise.all([serve("first"), serve("second")]);
    balancer.backends = [first.port];
    const devs = await lab.createGroup("Developers");
    const servers = await lab.createGroup("Servers");
    const person = await lab.createPerson("ada@example.com", [devs]);
    await lab.createPolicy("devs", [devs], [servers], { authorized_groups: { [devs]: [account.name] } });
    agent = await lab.startAgent("web1", { groups: [servers] });
    device = lab.device(person, "laptop");
    balancer.backends = [second.port];
    await device.login();
  }, 120_000);

  afterAll(async () => {
    for (const child of children) child.kill("SIGKILL");
    await lab?.[Symbol.asyncDispose]();
    balancer?.close();
    account?.[Symbol.dispose]();
  });

  test("an agent at the first gets what is changed at the second, which sees it connected", async () => {
    const peers = await at<{ name: string; connected: boolean }[]>(second, "GET", "/api/peers");
    expect(peers.find(({ name }) => name === "web1")?.connected).toBe(true);
    // The person signed in at the second; the machine, at the first, has to know the device.
    const result = await device.ssh([`${account.name}@web1`, "echo hello"]);
    expect(result).toMatchObject({ exitCode: 0, stdout: "hello\n" });
  }, 60_000);

  test("a one-off key used at both at once enrols exactly one machine", async () => {
    const setupKey = await lab.createSetupKey([], "one-off");
    balancer.backends = [first.port, second.port];
    const tried = await Promise.allSettled([
      lab.startAgent("db1", { setupKey }),
      lab.startAgent("db2", { setupKey }),
    ]);
    expect(tried.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  }, 60_000);

  test("killing one moves its agents to the other within 10 s, and no audit event is lost", async () => {
    balancer.backends = [second.port];
    const ran: string[] = [];
    for (let i = 0; i < 3; i++) {
      const command = `echo before ${i}`;
      if ((await device.ssh([`${account.name}@web1`, command])).exitCode === 0) ran.push(command);
    }
    first.child.kill("SIGKILL");
    const beganMs = performance.now();
    await first.child.exited;
    await lab
      .until("the link to be lost", async () => !(await agent.status()).management.connected, 5_000)
      .catch(() => {});
    await lab.until("the link", async () => (await agent.status()).management.connected, 10_000);
    expect(performance.now() - beganMs).toBeLessThan(10_000);
    const result = await device.ssh([`${account.name}@web1`, "echo after"]);
    expect(result).toMatchObject({ exitCode: 0, stdout: "after\n" });
    ran.push("echo after");
    expect(ran).toHaveLength(4);
    await lab.until("its events", async () => {
      const events = await lab.events("limit=1000");
      const started = events.map(({ data }) => (data as { command?: string } | undefined)?.command);
      return ran.every((command) => started.includes(command));
    });
    const events = await lab.events("limit=1000");
    expect(events.some(({ activity_code }) => activity_code === "agent.gap")).toBe(false);
  }, 60_000);

  test("no password is in the argument list or the log, whatever the URL", async () => {
    const url = environment.QF_DATABASE_URL?.replace("qf@", "qf:not-to-be-seen@") ?? "";
    const args = ["management", "serve", "--data-dir", join(lab.root, "third"), "--listen", "127.0.0.1:0"];
    const onLine = await lab.qf([...args, "--database-url", url]);
    expect(onLine.exitCode).toBe(2);
    const wrong = await lab.qf(args, { env: { QF_DATABASE_URL: url.replace("/qf_", "/none_") } });
    expect(wrong.exitCode).toBe(1);
    expect(wrong.stderr).toContain("qf: error: there is no such database");
    expect(onLine.stderr + wrong.stderr).not.toContain("not-to-be-seen");
  }, 30_000);
});

/** The port that a process listens on, by its own descriptors. */
function listeningPort(pid: number): number | undefined {
  const { stdout } = Bun.spawnSync(["bash", "-c", `cat /proc/${pid}/net/tcp; ls -l /proc/${pid}/fd`]);
  const text = stdout.toString();
  const sockets = new Set([...text.matchAll(/socket:\[(\d+)\]/g)].map(([, inode]) => inode));
  for (const line of text.split("\n")) {
    const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state === "0A" && sockets.has(inode ?? "")) return Number.parseInt(local.split(":")[1] ?? "", 16);
  }
  return undefined;
}
