/**
 * Debian's sshd and a machine of ours side by side, for the same person as the same local user: what
 * stock clients see of one has to be what they see of the other.
 */
import { openSshd, type Sshd } from "../bench/sshd.ts";
import type { RunResult } from "./run-process.ts";
import { openStockMachine, type StockMachine } from "./stock-machine.ts";

export const hasSshd = Bun.which("sshd", { PATH: "/usr/sbin:/usr/bin" }) !== null;

/** One way to a server, for ssh(1). */
export interface Way {
  readonly name: "sshd" | "plain listener" | "drop-in";
  /** argv of ssh(1) to the destination. Options go before it, the command after. */
  argv(options?: readonly string[]): string[];
}

export interface BesideSshd extends AsyncDisposable {
  readonly machine: StockMachine;
  readonly sshd: Sshd;
  /** sshd's first. */
  readonly ways: readonly [Way, Way, Way];
  /**
   * Runs a script of bash(1) here, in which `"$@"` is ssh(1) to the destination, for the command to follow.
   */
  shell(way: Way, script: string, options?: readonly string[]): Promise<RunResult>;
  ssh(way: Way, command: string, options?: readonly string[]): Promise<RunResult>;
}

const SHELL_TIMEOUT_MS = 20_000;
/** The plain listener is given a certificate that lasts two minutes. */
const CERTIFICATE_MS = 60_000;

/** Starts both. `sshdConfig` are lines of sshd_config(5), `rule` is our policy's. */
export async function openBesideSshd(
  settings: { readonly sshdConfig?: string; readonly rule?: Record<string, unknown> } = {},
): Promise<BesideSshd> {
  const machine = await openStockMachine(settings.rule);
  const { account, config, host } = machine;
  let sshd: Sshd;
  try {
    sshd = await openSshd(settings.sshdConfig, account.name);
  } catch (cause) {
    await machine[Symbol.asyncDispose]();
    throw cause;
  }
  const plain = ["-p", String(machine.port), "-l", account.name];
  const ways: BesideSshd["ways"] = [
    { name: "sshd", argv: (options = []) => ["ssh", ...sshd.sshArgs, ...options, "127.0.0.1"] },
    {
      name: "plain listener",
      argv: (options = []) => ["ssh", ...machine.stockOptions, ...plain, ...options, "127.0.0.1"],
    },
    { name: "drop-in", argv: (options = []) => ["ssh", "-F", config, "-l", account.name, ...options, host] },
  ];
  let freshMs = performance.now();
  const run = async (command: readonly string[]): Promise<RunResult> => {
    if (performance.now() - freshMs > CERTIFICATE_MS) {
      await machine.refresh();
      freshMs = performance.now();
    }
    return machine.run(command, {}, SHELL_TIMEOUT_MS);
  };
  return {
    machine,
    sshd,
    ways,
    shell: (way, script, options) => run(["bash", "-c", script, "bash", ...way.argv(options)]),
    ssh: (way, command, options) => run([...way.argv(options), command]),
    async [Symbol.asyncDispose]() {
      await sshd[Symbol.asyncDispose]();
      await machine[Symbol.asyncDispose]();
    },
  };
}
