/** Starting, connecting and moving bytes, beside Debian's sshd in one run. */
import { join } from "node:path";
import { type Bench, MBps, ms, type Part, running, timeInTurn } from "./figures.ts";
import { type Field, openField, smallFiles, unpinned, type Way, zeros } from "./openssh.ts";

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

async function benchBulk(bench: Bench, field: Field): Promise<void> {
  const { direct, proxy, sshd, folder } = field;
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
  const stock = (command: typeof down) => (way: Way) => command(unpinned(way));
  /** By the drop-in where it is ours. */
  const droppedIn = (command: typeof down) => (way: Way) => command(unpinned(way === direct ? proxy : way));
  const cases: readonly (readonly [string, (way: Way) => () => Promise<void>, number])[] = [
    ["download of 1 GB, AES-256-GCM", down, GIGABYTE],
    ["upload of 1 GB, AES-256-GCM", up, GIGABYTE],
    ["download of 1 GB, cipher as stock ssh(1) has it", stock(down), GIGABYTE],
    ["upload of 1 GB, cipher as stock ssh(1) has it", stock(up), GIGABYTE],
    ["download of 1 GB by the drop-in, against stock ssh(1)", droppedIn(down), GIGABYTE],
    ["upload of 1 GB by the drop-in, against stock ssh(1)", droppedIn(up), GIGABYTE],
    ["sftp get of 1 GB", sftp(`get ${file} ${folder}/got`), GIGABYTE],
    ["sftp put of 1 GB", sftp(`put ${file} ${folder}/put`), GIGABYTE],
    ["sftp get of 5,000 small files", sftp(`get -r ${many} ${folder}/gotmany`), 0],
    ["sftp put of 5,000 small files", sftp(`put -r ${many} ${folder}/putmany`), 0],
  ];
  for (const [what, command, bytes] of cases) {
    await field.renew();
    const [ours = 0, theirs = 0] = await timeInTurn(BULK_RUNS, command(direct), command(sshd));
    const rate = (value: number): string =>
      bytes === 0 ? ms(value) : `${MBps(bytes, value).toFixed(0)} MB/s`;
    bench.add({
      what,
      ours: rate(ours),
      against: `sshd ${rate(theirs)}`,
      ratio: `${(theirs / ours).toFixed(2)} x`,
      reach: ">= 1 x",
      figures: { oursMs: ours, sshdMs: theirs, ratio: theirs / ours },
    });
  }
}
