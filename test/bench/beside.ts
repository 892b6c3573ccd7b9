/**
 * `bun test/bench/beside.ts CHECKOUT [TEXT]`: this build beside another one, in turn, command by command.
 *
 * Two whole runs of `make bench` differ by a tenth because the machine does. Here each command of ours is
 * followed by the same one of the other build, so what is left between the two medians is the builds'. The
 * other checkout brings its own bench, since flags and files of two builds may differ; it must be built.
 * TEXT: only figures whose names have it.
 */
import { chmodSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { interruptible } from "../support/interrupt.ts";
import { median, running, timeInTurn } from "./figures.ts";
import { type ForwardFigures, measureForward } from "./forward.ts";
import { type Field, openField, smallFiles, unpinned, type Way, zeros } from "./openssh.ts";

const CONNECT_RUNS = 60;
const BULK_RUNS = 7;
const FORWARD_RUNS = 7;
const GIGABYTE = 1_000_000_000;
const FORWARD_BYTES = 500_000_000;
const SMALL_FILES = 2_000;

/** Time of this build through that of the other: below 1 is faster. */
function report(what: string, ours: number, other: number): void {
  const ratio = (ours / other).toFixed(3);
  process.stdout.write(`| ${what} | ${ours.toFixed(2)} | ${other.toFixed(2)} | ${ratio} × |\n`);
}

async function compare(
  what: string,
  runs: number,
  fields: readonly [Field, Field],
  command: (field: Field) => () => Promise<void>,
): Promise<void> {
  if (!what.includes(only)) return;
  for (const field of fields) await field.renew();
  const [ours = 0, other = 0] = await timeInTurn(runs, ...fields.map(command));
  report(what, ours, other);
}

async function compareForwards(fields: readonly [Field, Field]): Promise<void> {
  const samples: [ForwardFigures[], ForwardFigures[]] = [[], []];
  for (let run = 0; run < FORWARD_RUNS; run++) {
    for (const [at, field] of fields.entries()) {
      await field.renew();
      samples[at]?.push(await measureForward(field.direct, FORWARD_BYTES));
    }
  }
  const of = (at: number, name: keyof ForwardFigures): number =>
    median((samples[at] ?? []).map((one) => one[name]));
  for (const name of ["downMs", "upMs", "roundTripUs", "openMs", "crowdMs"] as const)
    report(`-L ${name}`, of(0, name), of(1, name));
}

const STOCK = ", cipher as stock ssh(1) has it";

async function comparePlain(
  fields: readonly [Field, Field],
  ssh: (way: Way, command: string) => () => Promise<void>,
  file: string,
): Promise<void> {
  const up = (way: Way) => {
    const words = ["ssh", ...way.ssh, way.destination, "cat > /dev/null"];
    return running(["sh", "-c", `exec "$@" < ${file}`, "sh", ...words], way.env);
  };
  for (const [suffix, as] of [
    ["", (way: Way) => way],
    [STOCK, unpinned],
  ] as const) {
    await compare(`download of 1 GB, ms${suffix}`, BULK_RUNS, fields, ({ direct }) =>
      ssh(as(direct), `head -c ${GIGABYTE} /dev/zero`),
    );
    await compare(`upload of 1 GB, ms${suffix}`, BULK_RUNS, fields, ({ direct }) => up(as(direct)));
  }
}

async function main(checkout: string): Promise<void> {
  const other = (await import(join(resolve(checkout), "test/bench/openssh.ts"))) as {
    openField: () => Promise<Field>;
  };
  await using ours = await openField();
  await using theirs = await other.openField();
  const fields = [ours, theirs] as const;
  const ssh = (way: Way, ...command: string[]) =>
    running(["ssh", ...way.ssh, way.destination, ...command], way.env);
  const sftp = (way: Way, batch: string) =>
    running(
      ["sh", "-c", `echo '${batch}' | exec "$@"`, "sh", "sftp", ...way.sftp, "-b", "-", way.destination],
      way.env,
    );
  process.stdout.write("| what | ours | other | ratio of times |\n|---|---|---|---|\n");
  await compare("ssh with a certificate, ms", CONNECT_RUNS, fields, ({ direct }) => ssh(direct, "true"));
  await compare("ssh through qf proxy, ms", CONNECT_RUNS, fields, ({ proxy }) => ssh(proxy, "true"));
  await compare("qf ssh, ms", CONNECT_RUNS, fields, ({ lab, device, user }) =>
    running([lab.executable, "ssh", `${user}@web1`, "true"], lab.env(device.env())),
  );
  const file = zeros(join(ours.folder, "gigabyte"), GIGABYTE);
  const many = smallFiles(join(ours.folder, "many"), SMALL_FILES);
  await comparePlain(fields, ssh, file);
  // Both accounts write below the one folder of this process.
  const places = new Map<Field, string>();
  for (const [field, name] of [
    [ours, "ours"],
    [theirs, "other"],
  ] as const) {
    const place = join(ours.folder, name);
    mkdirSync(place);
    chmodSync(place, 0o777);
    places.set(field, place);
  }
  for (const [what, batch] of [
    ["sftp get of 1 GB, ms", (folder: string) => `get ${file} ${folder}/got`],
    ["sftp put of 1 GB, ms", (folder: string) => `put ${file} ${folder}/put`],
    ["sftp get of 2,000 small files, ms", (folder: string) => `get -r ${many} ${folder}/gotmany`],
    ["sftp put of 2,000 small files, ms", (folder: string) => `put -r ${many} ${folder}/putmany`],
  ] as const) {
    const place = (field: Field): string => batch(places.get(field) ?? "/nowhere");
    await compare(what, BULK_RUNS, fields, (field) => sftp(field.direct, place(field)));
    await compare(`${what}${STOCK}`, BULK_RUNS, fields, (field) =>
      sftp(unpinned(field.direct), place(field)),
    );
  }
  if ("-L".includes(only)) await compareForwards(fields);
}

const [checkout, only = ""] = process.argv.slice(2);
if (checkout === undefined) throw new Error("usage: bun test/bench/beside.ts CHECKOUT");
await interruptible(() => main(checkout));
process.exit(0);
