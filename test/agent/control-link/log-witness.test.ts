import { expect, test } from "bun:test";
import { sentenceOfAlarm } from "../../../src/agent/control-link/log-alarms.ts";
import { LogWitness } from "../../../src/agent/control-link/log-witness.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { silentLog } from "../../../src/base/log.ts";
import { treeHash } from "../../../src/log/tree-hash.ts";
import { consistencyRanges } from "../../../src/log/tree-ranges.ts";
import type { LogEntry } from "../../../src/wire/log-entry.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { entries, hashesOf, logKey, noteOfEntries, ORIGIN } from "../../support/log-bundle.ts";

const aWitness = async () => {
  const alerts: string[] = [];
  const witness = new LogWitness({
    clock: new FakeClock(),
    log: silentLog,
    stored: undefined,
    save: async () => {},
    alert: (sentence) => void alerts.push(sentence),
    report: () => {},
  });
  await witness.pin({ origin: ORIGIN, key: logKey.publicKey });
  return { witness, alerts };
};

test("the first checkpoint is taken without a proof, the next only with one", async () => {
  const { witness, alerts } = await aWitness();
  const all = entries(9);
  expect(await witness.take({ note: noteOfEntries(all, 5), consistency: [] })).toBe(true);
  expect(await witness.take({ note: noteOfEntries(all, 5), consistency: [] })).toBe(true);
  expect(await witness.take({ note: noteOfEntries(all, 9), consistency: [] })).toBe(false);
  expect([witness.size, alerts]).toEqual([5, [sentenceOfAlarm("forked")]]);
});

test.each([
  ["another key", noteOfEntries(entries(9), 9, { key: generateEd25519() })],
  ["another account", noteOfEntries(entries(9), 9, { origin: ORIGIN.replace("d34", "e34") })],
  ["nobody", "x"],
])("a checkpoint of %s is not taken, and no alarm", async (_, note) => {
  const { witness, alerts } = await aWitness();
  expect(await witness.take({ note, consistency: [] })).toBe(false);
  expect([witness.size, alerts]).toEqual([0, []]);
});

test("two checkpoints of one size with two roots are an alarm at once", async () => {
  const { witness, alerts } = await aWitness();
  await witness.take({ note: noteOfEntries(entries(5)), consistency: [] });
  await witness.meet(noteOfEntries(entries(6).slice(1)));
  expect(alerts).toHaveLength(1);
  await witness.meet(noteOfEntries(entries(6).slice(1)));
  expect(alerts).toHaveLength(1);
});

/** Management's proof that the first `from` of `all` begin the first `to`. */
function proofOf(all: readonly LogEntry[], from: number, to: number): string[] {
  const hashes = hashesOf(all);
  return consistencyRanges(from, to).map((range) =>
    Buffer.from(treeHash(hashes.slice(range.from, range.to))).toString("base64"),
  );
}

/** One that took 3 entries of management, and then 5 that a device had: management still says 3. */
async function aWitnessThatMetMore(all: readonly LogEntry[]) {
  const { witness, alerts } = await aWitness();
  const asked: [number, number][] = [];
  witness.connect((from, to) => void asked.push([from, to]));
  await witness.take({ note: noteOfEntries(all, 3), consistency: [] });
  await witness.meet(noteOfEntries(all, 5));
  await witness.prove(3, 5, proofOf(all, 3, 5));
  expect([witness.size, asked.splice(0)]).toEqual([5, [[3, 5]]]);
  return { witness, alerts, asked };
}

test("a proof that begins at an earlier checkpoint is no alarm: the one that begins here is asked for", async () => {
  const all = entries(9);
  const { witness, alerts, asked } = await aWitnessThatMetMore(all);
  const late = { note: noteOfEntries(all, 9), consistency: proofOf(all, 3, 9) };
  expect(await witness.take(late)).toBe(false);
  expect([witness.size, asked]).toEqual([5, [[5, 9]]]);
  await witness.prove(5, 9, proofOf(all, 5, 9));
  expect([witness.size, alerts]).toEqual([9, []]);
});

test("nor is a checkpoint between the two, which was on its way", async () => {
  const all = entries(9);
  const { witness, alerts, asked } = await aWitnessThatMetMore(all);
  await witness.take({ note: noteOfEntries(all, 4), consistency: proofOf(all, 3, 4) });
  expect(asked).toEqual([[4, 5]]);
  await witness.prove(4, 5, proofOf(all, 4, 5));
  expect([witness.size, alerts]).toEqual([5, []]);
});

test.each([
  ["no proof", null],
  ["a proof that does not fit", ["A".repeat(43) + "="]],
])("with %s of it, a log that goes on from an earlier checkpoint only is an alarm", async (_, proof) => {
  const all = entries(9);
  const { witness, alerts, asked } = await aWitnessThatMetMore(all);
  const forked = [...entries(3), ...entries(12).slice(6)];
  await witness.take({ note: noteOfEntries(forked, 9), consistency: proofOf(forked, 3, 9) });
  expect([asked, alerts]).toEqual([[[5, 9]], []]);
  await witness.prove(5, 9, proof);
  expect([witness.size, alerts]).toEqual([5, [sentenceOfAlarm("forked")]]);
});

test("without a link nothing is asked: it is an alarm at once", async () => {
  const all = entries(9);
  const { witness, alerts } = await aWitnessThatMetMore(all);
  witness.connect(null);
  await witness.take({ note: noteOfEntries(all, 9), consistency: proofOf(all, 3, 9) });
  expect(alerts).toEqual([sentenceOfAlarm("forked")]);
});

test("a shorter log without any proof is an alarm at once", async () => {
  const all = entries(9);
  const { witness, alerts } = await aWitnessThatMetMore(all);
  await witness.take({ note: noteOfEntries(all, 4), consistency: [] });
  expect(alerts).toEqual([sentenceOfAlarm("cut_back")]);
});
