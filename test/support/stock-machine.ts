/**
 * A machine with everything on and a local user of its own, and the files with which any SSH client gets
 * in there: private key, certificate, known host keys. A certificate lasts two minutes; `refresh`.
 */
import { chmodSync, copyFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import type { Lab, LabAgent, LabDevice } from "./lab.ts";
import { unbundleKey } from "./openssh-client.ts";
import type { OsAccount } from "./os-accounts.ts";
import { type RunResult, runProcess } from "./run-process.ts";
import { openSetUp, type SetUp } from "./set-up.ts";

const HOST = "stock.qf.internal";
const FLAGS = [
  "--enable-ssh-sftp",
  "--enable-ssh-local-port-forwarding",
  "--enable-ssh-remote-port-forwarding",
  "--ssh-host-key-algorithms=ssh-ed25519,ecdsa-sha2-nistp256",
];
/** What OpenSSH's regression tests send to an sshd that accepts it. */
const ENVIRONMENT = ["LANG", "LC_*", "_XXX_TEST", "_XXX_TEST_*"];

/**
 * Opens it, with a login that is kept. `rule` overrides fields of its policy; any client is taken at `port`
 * of the loopback, or at one that the system chooses.
 */
export async function openStockMachine(rule: Record<string, unknown> = {}, port = 0): Promise<StockMachine> {
  const setUp = await openSetUp({
    accounts: [["stock"]],
    policies: [{ name: "stock", rule: { ssh: { env: ENVIRONMENT, agent_forwarding: true }, ...rule } }],
    machines: { stock: [...FLAGS, `--plain-ssh-listen=127.0.0.1:${port}`] },
  });
  try {
    const machine = new StockMachine(setUp);
    await machine.open();
    return machine;
  } catch (cause) {
    await setUp[Symbol.asyncDispose]();
    throw cause;
  }
}

export class StockMachine {
  readonly host = HOST;
  /** Port of loopback where any client is taken. */
  port = 0;
  readonly lab: Lab;
  readonly account: OsAccount;
  readonly agent: LabAgent;
  readonly device: LabDevice;
  /** Private key, for `-i`, beside it `-cert.pub`; readable by the account alone. */
  readonly key: string;
  readonly certificate: string;
  readonly knownHosts: string;
  readonly config: string;
  readonly #setUp: SetUp;
  readonly #owner: readonly [number, number];

  constructor(setUp: SetUp) {
    const { lab, account, agent, device } = setUp;
    this.#setUp = setUp;
    this.lab = lab;
    this.account = account;
    this.agent = agent;
    this.device = device;
    const folder = join(account.home, ".stock");
    mkdirSync(folder, { mode: 0o700 });
    this.key = join(folder, "key");
    this.certificate = join(folder, "key-cert.pub");
    this.knownHosts = join(folder, "known_hosts");
    this.config = join(lab.root, "stock-config");
    const id = (flag: string) => Number(Bun.spawnSync(["id", flag, account.name]).stdout.toString());
    this.#owner = [id("-u"), id("-g")];
    chown(this.#owner, folder);
  }

  async open(): Promise<void> {
    const { executable } = this.lab;
    const { configDir } = this.device;
    writeFileSync(
      this.config,
      renderDropIn({ executable, domain: "qf.internal", configDir, shortNames: false }),
    );
    const [plain = ""] = (await this.agent.status()).sshServer.plainListen ?? [];
    this.port = Number(plain.slice(plain.lastIndexOf(":") + 1));
    await this.refresh();
    const keys = await this.device.qf(["proxy", "known-hosts", "--config-dir", this.device.configDir, HOST]);
    const lines = keys.stdout.split("\n").filter(Boolean);
    if (lines.length === 0) throw new Error(`no host keys: ${keys.stderr}`);
    writeFileSync(
      this.knownHosts,
      lines
        .map((line) => line.replace(/^\S+/, "*"))
        .join("\n")
        .concat("\n"),
    );
    chown(this.#owner, this.knownHosts);
  }

  /** A certificate of now: a whole connection by the drop-in leaves one. */
  async refresh(): Promise<void> {
    const result = await this.run(["ssh", "-F", this.config, `${this.account.name}@${HOST}`, "true"]);
    if (result.exitCode !== 0) throw new Error(`no certificate: ${result.stderr}`);
    const from = unbundleKey(join(this.device.configDir, "openssh", HOST));
    for (const [source, target] of [
      [from, this.key],
      [`${from}-cert.pub`, this.certificate],
    ] as const) {
      copyFileSync(source, `${target}.new`);
      chmodSync(`${target}.new`, 0o600);
      chown(this.#owner, `${target}.new`);
      renameSync(`${target}.new`, target);
    }
  }

  /** Runs a command as whoever runs the tests, on the person's device. */
  run(command: readonly string[], env: Record<string, string> = {}, timeoutMs = 60_000): Promise<RunResult> {
    return runProcess(command, { env: this.lab.env(this.device.env(env)), cwd: this.lab.root, timeoutMs });
  }

  /** Options of ssh(1) for a client that knows nothing of us but the three files. */
  get stockOptions(): readonly string[] {
    const known = `UserKnownHostsFile=${this.knownHosts}`;
    const options = ["BatchMode=yes", "IdentitiesOnly=yes", known, `CertificateFile=${this.certificate}`];
    return ["-F", "none", "-i", this.key, ...options.flatMap((option) => ["-o", option])];
  }

  get ids(): { readonly uid: number; readonly gid: number } {
    return { uid: this.#owner[0], gid: this.#owner[1] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#setUp[Symbol.asyncDispose]();
  }
}

function chown([uid, gid]: readonly [number, number], path: string): void {
  Bun.spawnSync(["chown", `${uid}:${gid}`, path]);
}
