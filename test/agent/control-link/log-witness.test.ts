import { expect, test } from "bun:test";
import { sentenceOfAlarm } from "../../../src/agent/control-link/log-alarms.ts";
import { LogWitness } from "../../../src/agent/control-link/log-witness.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { silentLog } from "../../../src/base/log.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { entries, logKey, noteOfEntries, ORIGIN } from "../../support/log-bundle.ts";

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
