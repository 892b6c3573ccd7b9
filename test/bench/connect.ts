/** Starting, connecting and moving bytes, beside Debian's sshd in one run. */
import { join } from "node:path";
import { type Bench, MBps, ms, type Part, running, timeInTurn } from "./figures.ts";
import { type Field, openField, smallFiles, unpinned, type Way, zeros } from "./openssh.ts";
import { type Cost, costsInTurn } from "./processor.ts";

const RUNS = 30;
const BULK_RUNS = 3;
const GIGABYTE = 1_000_000_000;
const SMALL_FILES = 5_000;

export const startPart: Part = {
  name: "start",
  async run({ executable, add }) {
    const env = { PATH: process.env.PATH ?? "" };
    const commands = [running([executable, "version"], env), running(["/bin/true"], env)];
    const [ours = 0, baseline = 0] = await timeInTurn(RUNS, ...commands);
    add({
      what: "start (`qf version`)",
      ours: ms(ours),
      against: `/bin/true ${ms(baseline)}`,
      reach: "<= 15 ms",
      figures: { oursMs: ours, trueMs: baseline },
    });
  },
};

export const connectPart: Part = {
  name: "connect",
  async run(bench) {
    await using field = await openField();
    await benchConnect(bench, field);
  },
};

async function benchConnect(bench: Bench, field: Field): Promise<void> {
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
    bench.add({
      what,
      ours: ms(value),
      against,
      ratio: `${(value / key).toFixed(2)} x`,
      reach,
      figures: { oursMs: value, sshdMs: key, ratio: value / key },
    });
  row("`ssh host true` with a certificate", stock, "<= 0.5 x");
  row("the same through `qf proxy`, certificate minted", proxied, "<= 1 x");
  row("`qf ssh host true`, certificate minted", built, "");
}

export const bulkPart: Part = {
  name: "bulk",
  async run(bench) {
    await using field = await openField();
    await benchBulk(bench, field);
  },
};

type Command = (way: Way) => () => Promise<void>;

interface BulkCase {
  readonly what: string;
  readonly command: Command;
  /** 0: many files, of which the time is shown. */
  readonly bytes: number;
}

/** Each row with the cipher that all figures have, and as the client chooses it by itself. */
async function benchBulk(bench: Bench, field: Field): Promise<void> {
  const { direct, proxy, sshd } = field;
  for (const { what, command, bytes } of bulkCases(field)) {
    await benchCase(bench, field, { what: `${what}, AES-256-GCM`, command, bytes }, ">= 1 x");
    const stock: Command = (way) => command(unpinned(way));
    const reach = what.startsWith("sftp") ? ">= 1 x" : ">= 1.2 x, processor <= 1 x";
    await benchCase(
      bench,
      field,
      { what: `${what}, cipher as stock ssh(1) has it`, command: stock, bytes },
      reach,
    );
    if (what.startsWith("sftp")) continue;
    /** By the drop-in where it is ours. */
    const droppedIn: Command = (way) => command(unpinned(way === direct ? proxy : sshd));
    const named = { what: `${what} by the drop-in, against stock ssh(1)`, command: droppedIn, bytes };
    await benchCase(bench, field, named, ">= 1 x");
  }
}

function bulkCases({ folder }: Field): BulkCase[] {
  const file = zeros(join(folder, "gigabyte"), GIGABYTE);
  const many = smallFiles(join(folder, "many"), SMALL_FILES);
  const down: Command = (way) =>
    running(["ssh", ...way.ssh, way.destination, `head -c ${GIGABYTE} /dev/zero`], way.env);
  const up: Command = (way) => {
    const command = `exec "$@" < ${file}`;
    return running(
      ["sh", "-c", command, "sh", "ssh", ...way.ssh, way.destination, "cat > /dev/null"],
      way.env,
    );
  };
  const sftp =
    (batch: string): Command =>
    (way) =>
      running(
        ["sh", "-c", `echo '${batch}' | exec "$@"`, "sh", "sftp", ...way.sftp, "-b", "-", way.destination],
        way.env,
      );
  return [
    { what: "download of 1 GB", command: down, bytes: GIGABYTE },
    { what: "upload of 1 GB", command: up, bytes: GIGABYTE },
    { what: "sftp get of 1 GB", command: sftp(`get ${file} ${folder}/got`), bytes: GIGABYTE },
    { what: "sftp put of 1 GB", command: sftp(`put ${file} ${folder}/put`), bytes: GIGABYTE },
    { what: "sftp get of 5,000 small files", command: sftp(`get -r ${many} ${folder}/gotmany`), bytes: 0 },
    { what: "sftp put of 5,000 small files", command: sftp(`put -r ${many} ${folder}/putmany`), bytes: 0 },
  ];
}

async function benchCase(bench: Bench, field: Field, one: BulkCase, reach: string): Promise<void> {
  const { direct, sshd, sshdServer, agent } = field;
  const { what, command, bytes } = one;
  if (!what.includes(process.env.ROWS ?? "")) return;
  await field.renew();
  const { pid } = await agent.status();
  const costs = await costsInTurn(
    BULK_RUNS,
    { server: pid, run: command(direct) },
    { server: sshdServer.pid, run: command(sshd) },
  );
  const [ours, theirs] = costs as [Cost, Cost];
  const rate = ({ elapsedMs, processorMs }: Cost): string => {
    const speed = bytes === 0 ? ms(elapsedMs) : `${MBps(bytes, elapsedMs).toFixed(0)} MB/s`;
    return `${speed} (processor ${(processorMs / 1000).toFixed(2)} s)`;
  };
  const ratio = theirs.elapsedMs / ours.elapsedMs;
  const processorRatio = ours.processorMs / theirs.processorMs;
  bench.add({
    what,
    ours: rate(ours),
    against: `sshd ${rate(theirs)}`,
    ratio: `${ratio.toFixed(2)} x (processor ${processorRatio.toFixed(2)} x)`,
    reach,
    figures: {
      oursMs: ours.elapsedMs,
      sshdMs: theirs.elapsedMs,
      ratio,
      oursProcessorMs: ours.processorMs,
      sshdProcessorMs: theirs.processorMs,
      processorRatio,
    },
  });
}
