/** `-L` of stock ssh(1) to our agent beside Debian's sshd: bytes a second, a round trip, a new stream. */
import { type Bench, MBps, median, ms, type Part } from "./figures.ts";
import { type ForwardFigures, measureForward } from "./forward.ts";
import { openField } from "./openssh.ts";

const RUNS = 5;
const BYTES = 500_000_000;

const us = (value: number): string => `${value.toFixed(0)} us`;
const rate = (value: number): string => `${MBps(BYTES, value).toFixed(0)} MB/s`;

const FIGURES: readonly (readonly [keyof ForwardFigures, string, (value: number) => string, string])[] = [
  ["downMs", "`-L`, 500 MB from the far end", rate, ">= 1 x"],
  ["upMs", "`-L`, 500 MB to the far end", rate, ">= 1 x"],
  ["roundTripUs", "`-L`, one byte there and back", us, ">= 1 x"],
  ["openMs", "`-L`, a new stream with one byte there and back", ms, ">= 1 x"],
];

export const forwardPart: Part = {
  name: "forward",
  async run(bench) {
    await using field = await openField();
    const ours: ForwardFigures[] = [];
    const theirs: ForwardFigures[] = [];
    for (let run = 0; run < RUNS; run++) {
      await field.renew();
      ours.push(await measureForward(field.direct, BYTES));
      theirs.push(await measureForward(field.sshd, BYTES));
    }
    for (const figure of FIGURES) addRow(bench, figure, ours, theirs);
  },
};

/** Ratios are of speed: above 1 is faster than sshd. */
function addRow(
  bench: Bench,
  [name, what, show, reach]: (typeof FIGURES)[number],
  ours: readonly ForwardFigures[],
  theirs: readonly ForwardFigures[],
): void {
  const own = median(ours.map((one) => one[name]));
  const other = median(theirs.map((one) => one[name]));
  bench.add({
    what,
    ours: show(own),
    against: `sshd ${show(other)}`,
    ratio: `${(other / own).toFixed(2)} x`,
    reach,
    figures: { ours: own, sshd: other, ratio: other / own },
  });
}
