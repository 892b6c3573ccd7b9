/**
 * A machine with a root file system and an init of its own: Debian in `systemd-nspawn`, on the network of
 * this one, so that it reaches a management server on the loopback.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type RunResult, runProcess } from "../support/run-process.ts";
import { until } from "../support/until.ts";

const ROOTS = resolve(import.meta.dir, "../../.tools/roots");
const PACKAGES = "systemd,systemd-sysv,dbus,curl,ca-certificates,openssh-client,zstd,procps";
const MIRROR = "http://deb.debian.org/debian";
const BOOT_MS_MAX = 180_000;
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A tarball of the root file system of a Debian release, made once. */
function debianRoot(suite: string): string {
  const path = join(ROOTS, `${suite}.tar`);
  if (existsSync(path)) return path;
  mkdirSync(ROOTS, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), "qf-root-"));
  try {
    mustRun("debootstrap", "--variant=minbase", `--include=${PACKAGES}`, suite, folder, MIRROR);
    mustRun("tar", "-C", folder, "-cf", `${path}.new`, ".");
    renameSync(`${path}.new`, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return path;
}

/** Puts the root file system of a Debian release into the new folder `root`. */
export function unpackRoot(suite: string, root: string): void {
  mkdirSync(root, { recursive: true });
  mustRun("tar", "-C", root, "-xpf", debianRoot(suite));
  // The folder that debootstrap filled was a private one; the bus does not run as root.
  chmodSync(root, 0o755);
}

function mustRun(...command: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(command, { stdout: "ignore", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${command.join(" ")} failed: ${stderr}`);
}

export class BootedMachine implements AsyncDisposable {
  readonly root: string;
  #process: Bun.Subprocess;
  #leader = 0;

  readonly #capabilities: readonly string[];

  private constructor(root: string, capabilities: readonly string[]) {
    this.root = root;
    this.#capabilities = capabilities;
    this.#process = nspawn(root, capabilities);
  }

  /**
   * Boots a copy of the root file system of `suite` and waits until its init is up. `capabilities`: beside
   * those that it has by itself.
   */
  static async boot(
    suite: string,
    root: string,
    capabilities: readonly string[] = [],
  ): Promise<BootedMachine> {
    unpackRoot(suite, root);
    writeFileSync(join(root, "etc/hostname"), "web1\n");
    const machine = new BootedMachine(root, capabilities);
    try {
      await machine.#untilUp();
    } catch (cause) {
      await machine[Symbol.asyncDispose]();
      throw cause;
    }
    return machine;
  }

  /** Runs a command there, with nothing of our environment. */
  run(
    command: readonly string[],
    more: { env?: Record<string, string>; stdin?: string } = {},
  ): Promise<RunResult> {
    return runProcess(
      ["nsenter", "-t", String(this.#leader), "-m", "-p", "-u", "-i", "-r", "-w", "--", ...command],
      {
        env: { PATH, HOME: "/root", LANG: "C.UTF-8", ...more.env },
        cwd: "/",
        timeoutMs: 120_000,
        ...(more.stdin === undefined ? {} : { stdin: more.stdin }),
      },
    );
  }

  /** Standard output of a command that must succeed. */
  async get(...command: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(command);
    if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${exitCode} ${stderr}${stdout}`);
    return stdout.trim();
  }

  /** As when the power is cut and comes back. */
  async reboot(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
    killIfThere(this.#leader);
    await until("the end of all processes", () => !existsSync(`/proc/${this.#leader}`), BOOT_MS_MAX);
    this.#process = nspawn(this.root, this.#capabilities);
    await this.#untilUp();
  }

  async #untilUp(): Promise<void> {
    const parent = this.#process.pid;
    this.#leader = await until(
      "the init",
      async () => {
        const { stdout } = await runProcess(["pgrep", "-P", String(parent)], { env: { PATH } });
        return Number(stdout.trim().split("\n")[0]);
      },
      BOOT_MS_MAX,
    );
    await until(
      "the boot",
      async () => /running|degraded/.test((await this.run(["systemctl", "is-system-running"])).stdout),
      BOOT_MS_MAX,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    const ended = await Promise.race([this.#process.exited.then(() => true), Bun.sleep(20_000)]);
    if (ended !== true) {
      this.#process.kill("SIGKILL");
      killIfThere(this.#leader);
      await this.#process.exited;
    }
  }
}

function killIfThere(pid: number): void {
  if (pid <= 0) return; // There is none yet; to kill(2) zero is our own group.
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended with its parent.
  }
}

function nspawn(root: string, capabilities: readonly string[]): Bun.Subprocess {
  const more = capabilities.map((one) => `--capability=${one}`);
  return Bun.spawn(["systemd-nspawn", "--register=no", "--keep-unit", "--quiet", ...more, "-b", "-D", root], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
}

/** Everything that could be left behind. */
export async function filesOf(machine: BootedMachine): Promise<string[]> {
  const folders = ["/etc", "/usr", "/opt", "/root", "/home", "/var/lib", "/run", "/tmp"];
  const found = await machine.get(
    "find",
    ...folders,
    "-xdev",
    "(",
    "-iname",
    "*qufabric*",
    "-o",
    "-name",
    "qf*",
    "-o",
    "-name",
    "_qf",
    ")",
  );
  return found.split("\n").filter(Boolean);
}
