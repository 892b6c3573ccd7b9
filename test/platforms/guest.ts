/** A root file system in a container on the network of this machine, in which commands are run. */
import { mkdirSync } from "node:fs";
import { type RunResult, runProcess } from "../support/run-process.ts";
import { until } from "../support/until.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const START_MS_MAX = 60_000;
/** Emulated commands take their time. */
const RUN_MS_MAX = 900_000;

export class Guest implements AsyncDisposable {
  readonly #process: Bun.Subprocess;
  #leader = 0;

  private constructor(child: Bun.Subprocess) {
    this.#process = child;
  }

  static async start(root: string): Promise<Guest> {
    mkdirSync(root, { recursive: true });
    const options = ["--register=no", "--keep-unit", "--quiet", "--as-pid2", "-D", root];
    const child = Bun.spawn(["systemd-nspawn", ...options, "sh", "-c", "while :; do sleep 3600; done"], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "inherit",
    });
    const guest = new Guest(child);
    try {
      await guest.#untilUp();
    } catch (cause) {
      await guest[Symbol.asyncDispose]();
      throw cause;
    }
    return guest;
  }

  async #untilUp(): Promise<void> {
    await until(
      "a shell in the container",
      async () => {
        // The container's first process is not the first child that systemd-nspawn has.
        const { stdout } = await runProcess(["pgrep", "-P", String(this.#process.pid)], { env: { PATH } });
        this.#leader = Number(stdout.trim().split("\n")[0]);
        if (this.#leader === 0) return false;
        return (await this.run(["sh", "-c", "[ -d /proc/1 ] && [ -d /dev/pts ]"])).exitCode === 0;
      },
      START_MS_MAX,
    );
  }

  /** Runs a command there, with nothing of our environment. */
  run(command: readonly string[], env: Record<string, string> = {}): Promise<RunResult> {
    const enter = ["nsenter", "-t", String(this.#leader), "-m", "-p", "-u", "-i", "-r", "-w", "--"];
    return runProcess([...enter, ...command], {
      env: { PATH, HOME: "/root", LANG: "C.UTF-8", ...env },
      cwd: "/",
      timeoutMs: RUN_MS_MAX,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The first process of the container: all others end with it. There may be none yet.
    try {
      if (this.#leader > 0) process.kill(this.#leader, "SIGKILL");
      else this.#process.kill("SIGKILL");
    } catch {
      // It ended by itself.
    }
    await this.#process.exited;
  }
}
