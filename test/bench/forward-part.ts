/**
 * `-L` of stock ssh(1) to our agent beside Debian's sshd: bytes a second, a round trip, a new stream, many of
 * them at once; with the pinned cipher, and as the client chooses it by itself.
 */
import { type Bench, MBps, median, ms, type Part } from "./figures.ts";
import { CROWD, type ForwardFigures, measureForward } from "./forward.ts";
import { openField, unpinned, type Way } from "./openssh.ts";

const RUNS = 5;
const BYTES = 500_000_000;

const us = (value: number): string => `${value.toFixed(0)} us`;
const rate = (value: number): string => `${MBps(BYTES, value).toFixed(0)} MB/s`;

const FIGURES: readonly (readonly [keyof ForwardFigures, string, (value: number) => string, string])[] = [
  ["downMs", "`-L`, 500 MB from the far end", rate, ">= 1 x"],
  ["upMs", "`-L`, 500 MB to the far end", rate, ">= 1 x"],
  ["roundTripUs", "`-L`, one byte there and back", us, ">= 1 x"],
  ["openMs", "`-L`, a new stream with one byte there and back", ms, "<= 0.6 ms"],
  ["crowdMs", `\`-L\`, ${CROWD} new streams at once, first byte of the last`, ms, "<= 60 ms"],
];

export const forwardPart: Part = {
  name: "forward",
  async run(bench) {
    await using field = await openField();
    for (const [suffix, as] of [
      ["", (way: Way) => way],
      [", cipher as stock ssh(1) has it", unpinned],
    ] as const) {
      const ours: ForwardFigures[] = [];
      const theirs: ForwardFigures[] = [];
      for (let run = 0; run < RUNS; run++) {
        await field.renew();
        ours.push(await measureForward(as(field.direct), BYTES));
        theirs.push(await measureForward(as(field.sshd), BYTES));
      }
      for (const [name, what, show, reach] of FIGURES)
        addRow(bench, [name, `${what}${suffix}`, show, reach], ours, theirs);
    }
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
