/**
 * What `make bench` prints: figures of this machine, side by side, as medians and ratios.
 *
 * Nothing is asserted here but that the work was really done.
 */
import { cpus } from "node:os";
import { executablePath } from "../support/executable.ts";
import { openLab } from "../support/lab.ts";
import { isRoot, ownName } from "../support/os-accounts.ts";
import { benchDecide } from "./decide.ts";
import { openSshd } from "./sshd.ts";

const RUNS = 30;

interface Row {
  readonly what: string;
  readonly ours: string;
  readonly against: string;
  readonly ratio: string;
  readonly reach: string;
}
const rows: Row[] = [];

function median(samples: number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Runs the commands in turn, so that what disturbs one disturbs the other. Median milliseconds of each. */
async function timeInTurn(runs: number, ...commands: (() => Promise<void>)[]): Promise<number[]> {
  const samples = commands.map((): number[] => []);
  for (let run = 0; run < runs + 2; run++) {
    for (const [i, command] of commands.entries()) {
      const start = performance.now();
      await command();
      if (run >= 2) samples[i]?.push(performance.now() - start);
    }
  }
  return samples.map(median);
}

function running(command: string[], env: Record<string, string>): () => Promise<void> {
  return async () => {
    const child = Bun.spawn(command, { env, stdin: "ignore", stdout: "ignore", stderr: "pipe" });
    if ((await child.exited) !== 0)
      throw new Error(`${command.join(" ")}: ${await new Response(child.stderr).text()}`);
  };
}

const ms = (value: number): string => `${value.toFixed(1)} ms`;

async function benchStart(executable: string): Promise<void> {
  const env = { PATH: process.env.PATH ?? "" };
  const [ours = 0, baseline = 0] = await timeInTurn(
    RUNS,
    running([executable, "version"], env),
    running(["/bin/true"], env),
  );
  rows.push({
    what: "qf version",
    ours: ms(ours),
    against: `/bin/true ${ms(baseline)}`,
    ratio: "",
    reach: "<= 15 ms",
  });
}

async function benchExec(): Promise<void> {
  const user = ownName();
  await using lab = await openLab();
  const devs = await lab.createGroup("Developers");
  const servers = await lab.createGroup("Servers");
  const person = await lab.createPerson("ada@example.com", [devs]);
  await lab.createPolicy("devs", [devs], [servers], { authorized_groups: { [devs]: [user] } });
  await lab.startAgent("web1", {
    groups: [servers],
    args: isRoot ? ["--enable-ssh-root"] : [],
  });
  const device = lab.device(person, "laptop");
  await device.login();
  await using sshd = await openSshd();
  const env = lab.env(device.env());
  const [ours = 0, theirs = 0] = await timeInTurn(
    RUNS,
    running([lab.executable, "ssh", `${user}@web1`, "true"], env),
    running(["ssh", ...sshd.sshArgs, "127.0.0.1", "true"], env),
  );
  const what = "qf ssh host true (cached login, certificate minted)";
  rows.push({
    what,
    ours: ms(ours),
    against: `sshd with a key ${ms(theirs)}`,
    ratio: `${(ours / theirs).toFixed(2)} x`,
    reach: "",
  });
}

const executable = await executablePath();
const decided = benchDecide();
const us = (value: number): string => `${value.toFixed(1)} us`;
rows.push({
  what: "decide, 1,000 rules, 10,000 users, denial with full trace",
  ours: `${us(decided.medianUs)} (p99 ${us(decided.p99Us)})`,
  against: "",
  ratio: "",
  reach: "<= 20 us",
});
await benchStart(executable);
await benchExec();

process.stdout.write(
  `\n${cpus()[0]?.model.trim()}, ${cpus().length} cores; medians of ${RUNS} runs in turn\n\n`,
);
process.stdout.write("| what | ours | against | ratio | reach |\n|---|---|---|---|---|\n");
for (const row of rows)
  process.stdout.write(`| ${row.what} | ${row.ours} | ${row.against} | ${row.ratio} | ${row.reach} |\n`);
