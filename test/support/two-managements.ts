/**
 * Two management processes on one PostgreSQL behind a load balancer of ours: whoever connects gets the one
 * that `balancer.backends` names at that moment, and keeps it.
 */
import { expect } from "bun:test";
import { join } from "node:path";
import { type Balancer, openBalancer } from "./balancer.ts";
import { type Lab, OWNER, openLab } from "./lab.ts";
import { testPostgres } from "./postgres.ts";

export interface LabManagement {
  readonly child: Bun.Subprocess;
  /** Where the balancer reaches it. */
  readonly port: number;
}

export class TwoManagements {
  readonly lab: Lab;
  readonly balancer: Balancer;
  readonly environment: Record<string, string>;
  readonly #children: Bun.Subprocess[] = [];

  constructor(lab: Lab, balancer: Balancer, databaseUrl: string) {
    this.lab = lab;
    this.balancer = balancer;
    this.environment = { QF_DATABASE_URL: databaseUrl };
  }

  /** Each has a data folder of its own; database, master key and public URL are common. */
  async serve(name: string, args: string[] = [], env: Record<string, string> = {}): Promise<LabManagement> {
    const { lab } = this;
    const child = Bun.spawn(
      [
        ...[lab.executable, "management", "serve", "--listen", "127.0.0.1:0"],
        ...["--data-dir", join(lab.root, name), "--master-key-file", join(lab.root, "master.key")],
        ...["--public-url", lab.url, ...args],
      ],
      {
        env: lab.env({ ...this.environment, ...env }),
        stdin: "ignore",
        stdout: "ignore",
        stderr: Bun.file(join(lab.root, `${name}.log`)),
      },
    );
    this.#children.push(child);
    const port = await lab.until("its port", async () => readyPort(child.pid));
    return { child, port };
  }

  /** A REST call as the owner, to one of them. */
  async at<T>(server: LabManagement, method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      headers: { authorization: `Token ${this.lab.token}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(10_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect(response.status).toBeLessThan(300);
    return (await response.json()) as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    await this.lab[Symbol.asyncDispose]();
    this.balancer.close();
  }
}

/** An empty service: a database with an owner, and nobody who serves it yet. */
export async function openTwoManagements(): Promise<TwoManagements> {
  const balancer = await openBalancer();
  const lab = await openLab({ start: false });
  lab.url = `http://127.0.0.1:${balancer.port}`;
  const two = new TwoManagements(lab, balancer, await (await testPostgres()).emptyDatabase());
  const made = await lab.qf(
    [
      ...["management", "init", "--data-dir", join(lab.root, "init"), "--owner-email", OWNER.email],
      ...["--owner-password-stdin", "--master-key-file", join(lab.root, "master.key")],
    ],
    { stdin: `${OWNER.password}\n`, env: two.environment },
  );
  expect(made.stderr).toBe("");
  Object.assign(lab, JSON.parse(made.stdout));
  return two;
}

/** The port on which a process answers people, once it is ready: it listens for other processes as well. */
async function readyPort(pid: number): Promise<number | undefined> {
  for (const port of listeningPorts(pid)) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (answer?.ok) return port;
  }
  return undefined;
}

/** The ports that a process listens on, by its own descriptors. */
export function listeningPorts(pid: number): number[] {
  const { stdout } = Bun.spawnSync(["bash", "-c", `cat /proc/${pid}/net/tcp; ls -l /proc/${pid}/fd`]);
  const text = stdout.toString();
  const sockets = new Set([...text.matchAll(/socket:\[(\d+)\]/g)].map(([, inode]) => inode));
  return text.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
    const isOurs = state === "0A" && sockets.has(inode ?? "");
    return isOurs ? [Number.parseInt(local.split(":")[1] ?? "", 16)] : [];
  });
}
