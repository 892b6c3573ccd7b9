/**
 * Real OS accounts for a test, under names nobody else has, removed with everything of theirs.
 */
import { rmSync } from "node:fs";
import { onInterrupt } from "./interrupt.ts";

export const isRoot = process.getuid?.() === 0;

/** How often a command is tried while another process holds the lock of /etc/passwd. */
const LOCK_TRIES = 40;

function run(...command: string[]): void {
  for (let left = LOCK_TRIES; ; left--) {
    const result = Bun.spawnSync(command, { stdout: "ignore", stderr: "pipe" });
    if (result.exitCode === 0) return;
    const text = result.stderr.toString();
    if (left === 0 || !text.includes("cannot lock")) throw new Error(`${command.join(" ")}: ${text}`);
    Bun.sleepSync(250);
  }
}

/** One account; `name` is made unique. */
export class OsAccount implements Disposable {
  readonly name: string;
  readonly home: string;
  readonly #forget: () => void;

  constructor(word: string, args: readonly string[] = []) {
    this.name =
      `qf${word}${Math.trunc(performance.now() * 1000).toString(36)}${process.pid.toString(36)}`.slice(0, 30);
    this.home = `/home/${this.name}`;
    const home = args.includes("--no-create-home") ? [] : ["--create-home"];
    this.#forget = onInterrupt(() => this[Symbol.dispose]());
    run("useradd", ...home, "--shell", "/bin/bash", ...args, this.name);
  }

  /** Runs a command on the account database: `usermod`, `chage`, `passwd`. */
  change(command: string, ...args: string[]): this {
    run(command, ...args, this.name);
    return this;
  }

  /** Pids of every process of this account. Never asked for uid 0, whose processes are everybody's. */
  pids(): number[] {
    const uid = this.#uid();
    if (uid === undefined || uid === 0) return [];
    const result = Bun.spawnSync(["pgrep", "-u", String(uid)]);
    return result.stdout.toString().split("\n").filter(Boolean).map(Number);
  }

  [Symbol.dispose](): void {
    this.#forget();
    for (const pid of this.pids()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // Gone by itself.
      }
    }
    const isRootAlias = this.#uid() === 0;
    const args = isRootAlias ? ["--force"] : ["--force", "--remove"];
    Bun.spawnSync(["userdel", ...args, this.name], { stdout: "ignore", stderr: "ignore" });
    if (!isRootAlias) rmSync(this.home, { recursive: true, force: true });
  }

  #uid(): number | undefined {
    const result = Bun.spawnSync(["id", "-u", this.name], { stderr: "ignore" });
    return result.exitCode === 0 ? Number(result.stdout.toString()) : undefined;
  }
}

/** Name of the account this test runs as, by the account database and not by the environment. */
export function ownName(): string {
  return Bun.spawnSync(["id", "-un"]).stdout.toString().trim();
}
