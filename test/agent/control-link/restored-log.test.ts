/** Following a restored log: what has to be proven for it, each with the nearest that is not enough. */
import { expect, test } from "bun:test";
import { LogWitness } from "../../../src/agent/control-link/log-witness.ts";
import { RestoredLog } from "../../../src/agent/control-link/restored-log.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { silentLog } from "../../../src/base/log.ts";
import { canonicalJson } from "../../../src/log/canonical-json.ts";
import { treeHash } from "../../../src/log/tree-hash.ts";
import { consistencyRanges, inclusionRanges } from "../../../src/log/tree-ranges.ts";
import type { ProvenLeaf } from "../../../src/wire/agent-sync.ts";
import type { LogEntry } from "../../../src/wire/log-entry.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { anEntry, entries, hashesOf, logKey, noteOfEntries, ORIGIN } from "../../support/log-bundle.ts";

/** The log as it was: of its 9 entries 5 come back. */
const OLD = entries(9);
const KEPT = 5;
const LOST = { from: KEPT + 1, to: OLD.length, note: noteOfEntries(OLD) };

/** The restored log: what is kept, what it says of its loss, and the acknowledgement. */
function restored(change: { kept?: LogEntry[]; lost?: object; code?: string; ackCode?: string } = {}) {
  const {
    kept = OLD.slice(0, KEPT),
    lost = LOST,
    code = "log.lost",
    ackCode = "log.lost.acknowledge",
  } = change;
  return [
    ...kept,
    anEntry(kept.length + 1, { activity_code: code, data: { ...lost } }),
    anEntry(kept.length + 2, { activity_code: ackCode, initiator_name: "Ada" }),
  ];
}

const proofIn = (all: readonly LogEntry[], ranges: ReturnType<typeof inclusionRanges>): string[] => {
  const hashes = hashesOf(all);
  return ranges.map(({ from, to }) => Buffer.from(treeHash(hashes.slice(from, to))).toString("base64"));
};
const shown = (all: readonly LogEntry[], seq: number): ProvenLeaf => ({
  seq,
  leaf: canonicalJson(all[seq - 1]),
  proof: proofIn(all, inclusionRanges(seq - 1, all.length)),
});
const messageOf = (all: readonly LogEntry[], key = logKey) => ({
  note: noteOfEntries(all, all.length, { key }),
  restored: { lost: shown(all, all.length - 1), acknowledged: shown(all, all.length) },
});

/** A machine that has seen the log at `sizes`, and then that it was cut back. */
async function aMachine(sizes: readonly number[] = [3, 9]) {
  const said: string[] = [];
  const witness = new LogWitness({
    ...{ clock: new FakeClock(), log: silentLog, stored: undefined, save: async () => {}, alert: () => {} },
    report: (sentence) => void said.push(sentence),
  });
  await witness.pin({ origin: ORIGIN, key: logKey.publicKey });
  let size = 0;
  for (const next of sizes) {
    const consistency = size === 0 ? [] : proofIn(OLD.slice(0, next), consistencyRanges(size, next));
    expect(await witness.take({ note: noteOfEntries(OLD, next), consistency })).toBe(true);
    size = next;
  }
  await witness.take({ note: noteOfEntries(OLD, 2), consistency: [] });
  expect(witness.alarms.map(({ kind }) => kind)).toEqual(["cut_back"]);
  said.length = 0;
  return { witness, said, log: new RestoredLog(witness, new FakeClock()) };
}

/** Offers it, and answers what is asked with a proof of `all`. */
async function offer(machine: Awaited<ReturnType<typeof aMachine>>, all: readonly LogEntry[], key = logKey) {
  const asked = await machine.log.take(messageOf(all, key));
  if (asked === null) return;
  await machine.log.prove(asked.from, asked.to, proofIn(all, consistencyRanges(asked.from, asked.to)));
}

test("it goes on once the loss and its acknowledgement are proven, and says so", async () => {
  const machine = await aMachine();
  const all = restored();
  await offer(machine, all);
  expect([machine.witness.size, machine.witness.alarms]).toEqual([all.length, []]);
  expect(machine.said).toHaveLength(1);
  const next = [...all, anEntry(all.length + 1)];
  const consistency = proofIn(next, consistencyRanges(all.length, next.length));
  expect(await machine.witness.take({ note: noteOfEntries(next), consistency })).toBe(true);
});

test("with nothing from before the loss there is nothing to prove of that", async () => {
  const machine = await aMachine([9]);
  await offer(machine, restored());
  expect(machine.witness.alarms).toEqual([]);
});

const changed = OLD.slice(0, KEPT).with(1, anEntry(2, { target_id: "another" }));
test.each<[what: string, all: readonly LogEntry[], key: typeof logKey]>([
  ["no acknowledgement", restored({ ackCode: "log.lost" }), logKey],
  ["no loss", restored({ code: "log.prune" }), logKey],
  [
    "a loss of less than was seen",
    restored({ lost: { ...LOST, to: 8, note: noteOfEntries(OLD, 8) } }),
    logKey,
  ],
  ["a loss that begins behind what was seen", restored({ lost: { ...LOST, from: 10, to: 12 } }), logKey],
  ["a loss that no checkpoint of the log proves", restored({ lost: { ...LOST, note: "x" } }), logKey],
  ["a loss by another key's checkpoint", restored({ lost: { ...LOST, note: otherNote() } }), logKey],
  ["a log that begins otherwise", restored({ kept: changed }), logKey],
  ["a checkpoint of another key", restored(), generateEd25519()],
])("without that nothing changes: %s", async (_what, all, key) => {
  const machine = await aMachine();
  await offer(machine, all, key);
  expect([machine.witness.size, machine.witness.alarms.length, machine.said]).toEqual([9, 1, []]);
});

function otherNote(): string {
  return noteOfEntries(OLD, OLD.length, { key: generateEd25519() });
}

test("entries that are not in the checkpoint prove nothing; nor does an acknowledgement from before", async () => {
  const all = restored();
  const { note, restored: whole } = messageOf(all);
  const elsewhere = messageOf([...all.slice(0, -1), anEntry(7, { activity_code: "log.lost.acknowledge" })]);
  for (const one of [
    { ...whole, acknowledged: elsewhere.restored.acknowledged },
    { ...whole, lost: { ...whole.lost, proof: [] } },
    { lost: whole.acknowledged, acknowledged: whole.lost },
  ]) {
    const machine = await aMachine();
    expect(await machine.log.take({ note, restored: one })).toBeNull();
    expect(machine.witness.size).toBe(9);
  }
});

test("a proof that management does not have, or that was not asked for, is none", async () => {
  const machine = await aMachine();
  const asked = await machine.log.take(messageOf(restored()));
  expect(asked).toEqual({ from: 3, to: 7 });
  expect(await machine.log.prove(2, 7, [])).toBe(false);
  expect(await machine.log.prove(3, 7, null)).toBe(true);
  expect(await machine.log.prove(3, 7, [])).toBe(false);
  expect(machine.witness.alarms).toHaveLength(1);
});

test("a loss that no longer covers what was seen, once its proof comes, changes nothing", async () => {
  const machine = await aMachine();
  const all = restored();
  const asked = await machine.log.take(messageOf(all));
  const more = entries(OLD.length + 1);
  const consistency = proofIn(more, consistencyRanges(OLD.length, more.length));
  expect(await machine.witness.take({ note: noteOfEntries(more), consistency })).toBe(true);
  const { from, to } = asked ?? { from: 0, to: 0 };
  expect(await machine.log.prove(from, to, proofIn(all, consistencyRanges(from, to)))).toBe(true);
  expect([machine.witness.size, machine.witness.alarms.length]).toEqual([more.length, 1]);
});
