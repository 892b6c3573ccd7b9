/**
 * As many new connections a second as this machine carries with their clients: `ssh host true`, 32 at once
 * for a minute, at our agent and then at Debian's sshd, with a key and with a certificate. Clients take their
 * share of the same processors, and more of it with a certificate, which they verify themselves.
 */
import { type Bench, type Part, spread, spreadFigures, timed } from "./figures.ts";
import { openField, type Way } from "./openssh.ts";

const WIDTH = 32;
/** A certificate is good for two minutes. */
const SECONDS = Number(process.env.SECONDS ?? 60);

export const sessionRatePart: Part = {
  name: "rate",
  async run({ add }) {
    await using field = await openField();
    await field.renew();
    const ours = await load(field.direct);
    compare(add, ours, { what: "sshd", rate: await load(field.sshd) });
    compare(add, ours, { what: "sshd with a certificate too", rate: await load(field.certifiedSshd) });
  },
};

function compare(add: Bench["add"], ours: Rate, sshd: { what: string; rate: Rate }): void {
  const row = (rate: Rate): string =>
    `${rate.perSecond.toFixed(0)} a second, ${rate.failed} failed, ${spread(rate.samplesMs)}`;
  add({
    what: `new connections with \`true\`, ${WIDTH} at once for ${SECONDS} s`,
    ours: row(ours),
    against: `${sshd.what} ${row(sshd.rate)}`,
    ratio: `${(ours.perSecond / sshd.rate.perSecond).toFixed(2)} x`,
    reach: ">= 2 x, none failed",
    figures: {
      oursPerSecond: ours.perSecond,
      sshdPerSecond: sshd.rate.perSecond,
      failed: ours.failed,
      sshdFailed: sshd.rate.failed,
      ...spreadFigures(ours.samplesMs),
    },
  });
}

interface Rate {
  readonly perSecond: number;
  readonly failed: number;
  readonly samplesMs: readonly number[];
}

async function load(way: Way): Promise<Rate> {
  const samplesMs: number[] = [];
  let failed = 0;
  const startMs = performance.now();
  const endMs = startMs + SECONDS * 1_000;
  const worker = async (): Promise<void> => {
    while (performance.now() < endMs) {
      let status = 0;
      const spentMs = await timed(async () => {
        status = await connect(way);
      });
      if (status === 0) samplesMs.push(spentMs);
      else failed += 1;
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, worker));
  return { perSecond: samplesMs.length / ((performance.now() - startMs) / 1_000), failed, samplesMs };
}

function connect(way: Way): Promise<number> {
  const command = ["ssh", ...way.ssh, way.destination, "true"];
  return Bun.spawn(command, { env: way.env, stdin: "ignore", stdout: "ignore", stderr: "ignore" }).exited;
}
