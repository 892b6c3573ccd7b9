/**
 * What `make bench` prints: figures of this machine, side by side, as medians and ratios.
 *
 * Nothing is asserted here but that the work was really done.
 */
import { cpus } from "node:os";
import { join } from "node:path";
import { executablePath } from "../support/executable.ts";
import { benchDecide } from "./decide.ts";
import { type Field, openField, smallFiles, type Way, zeros } from "./openssh.ts";

const RUNS = 30;
const BULK_RUNS = 3;
const GIGABYTE = 1_000_000_000;
const SMALL_FILES = 5_000;

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

async function benchConnect(field: Field): Promise<void> {
  const { lab, user, direct, proxy, sshd, device } = field;
  await field.renew();
  const ssh = (way: Way) => running(["ssh", ...way.ssh, way.destination, "true"], way.env);
  const ours = running([lab.executable, "ssh", `${user}@web1`, "true"], lab.env(device.env()));
  const [key = 0, stock = 0, proxied = 0, built = 0] = await timeInTurn(
    RUNS,
    ssh(sshd),
    ssh(direct),
    ssh(proxy),
    ours,
  );
  const against = `sshd with a key ${ms(key)}`;
  const row = (what: string, value: number, reach: string) =>
    rows.push({ what, ours: ms(value), against, ratio: `${(value / key).toFixed(2)} x`, reach });
  row("ssh host true, with a certificate", stock, "<= 0.5 x");
  row("the same through qf proxy, login kept, certificate minted", proxied, "<= 1 x");
  row("qf ssh host true, login kept, certificate minted", built, "");
}

async function benchBulk(field: Field): Promise<void> {
  const { direct, sshd, folder } = field;
  const file = zeros(join(folder, "gigabyte"), GIGABYTE);
  const many = smallFiles(join(folder, "many"), SMALL_FILES);
  const down = (way: Way) =>
    running(["ssh", ...way.ssh, way.destination, `head -c ${GIGABYTE} /dev/zero`], way.env);
  const up = (way: Way) => {
    const command = `exec "$@" < ${file}`;
    return running(
      ["sh", "-c", command, "sh", "ssh", ...way.ssh, way.destination, "cat > /dev/null"],
      way.env,
    );
  };
  const sftp = (batch: string) => (way: Way) =>
    running(
      ["sh", "-c", `echo '${batch}' | exec "$@"`, "sh", "sftp", ...way.sftp, "-b", "-", way.destination],
      way.env,
    );
  const cases: readonly (readonly [string, (way: Way) => () => Promise<void>, number])[] = [
    ["download of 1 GB, AES-256-GCM", down, GIGABYTE],
    ["upload of 1 GB, AES-256-GCM", up, GIGABYTE],
    ["sftp get of 1 GB", sftp(`get ${file} ${folder}/got`), GIGABYTE],
    ["sftp put of 1 GB", sftp(`put ${file} ${folder}/put`), GIGABYTE],
    ["sftp get of 5,000 small files", sftp(`get -r ${many} ${folder}/gotmany`), 0],
    ["sftp put of 5,000 small files", sftp(`put -r ${many} ${folder}/putmany`), 0],
  ];
  for (const [what, command, bytes] of cases) {
    await field.renew();
    const [ours = 0, theirs = 0] = await timeInTurn(BULK_RUNS, command(direct), command(sshd));
    const rate = (value: number): string =>
      bytes === 0 ? ms(value) : `${(bytes / 1e6 / (value / 1e3)).toFixed(0)} MB/s`;
    rows.push({
      what,
      ours: rate(ours),
      against: `sshd ${rate(theirs)}`,
      ratio: `${(theirs / ours).toFixed(2)} x its rate`,
      reach: ">= 1 x",
    });
  }
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
{
  await using field = await openField();
  await benchConnect(field);
  await benchBulk(field);
}

process.stdout.write(
  `\n${cpus()[0]?.model.trim()}, ${cpus().length} cores; medians of ${RUNS} runs in turn\n\n`,
);
process.stdout.write("| what | ours | against | ratio | reach |\n|---|---|---|---|---|\n");
for (const row of rows)
  process.stdout.write(`| ${row.what} | ${row.ours} | ${row.against} | ${row.ratio} | ${row.reach} |\n`);
