import { describe, expect, test } from "bun:test";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import { type ReadNote, readNote, verifierKey } from "../../src/log/checkpoint.ts";
import { signHandover } from "../../src/log/key-handover.ts";
import { judgeTrust } from "../../src/log/trust.ts";
import type { BundleHeader, LogKeyRecord } from "../../src/wire/log-entry.ts";
import {
  ACCOUNT,
  aBundle,
  anEntry,
  entries,
  found,
  noteOfEntries,
  ORIGIN,
  trusted,
} from "../support/log-bundle.ts";

const all = entries(40);
const lines = aBundle(all);
const forked = [
  ...all.slice(0, 20),
  ...all.slice(20).map((entry) => anEntry(entry.seq, { meta: { other: "x" } })),
];
const withCheckpoint = (note: string) => ({ ...trusted, checkpoints: [note] });
const other = generateEd25519();

test.each([
  ["an older one", noteOfEntries(all, 7)],
  ["the same", noteOfEntries(all, 40)],
  ["that of the empty log", noteOfEntries(all, 0)],
])("a checkpoint that is the bundle's beginning agrees: %s", (_, note) => {
  expect(found(lines, withCheckpoint(note))).toEqual([]);
});

test.each([
  ["a fork behind it", noteOfEntries(forked, 30), "forked 30"],
  ["a fork of the same size", noteOfEntries(forked, 40), "forked 40"],
  ["a rollback", noteOfEntries(entries(50), 50), "rolled_back 40"],
  ["another account's", noteOfEntries(all, 7, { origin: ORIGIN.replace("d34", "e34") }), "other_log -"],
  ["another key's", noteOfEntries(all, 7, { key: other }), "key_unknown -"],
  ["no note", "x", "not_comparable -"],
])("a checkpoint that does not agree is found: %s", (_, note, finding) => {
  expect(found(lines, withCheckpoint(note))).toEqual([finding]);
});

test("a fork before the checkpoint is not found by one that is older than the fork", () => {
  expect(found(lines, withCheckpoint(noteOfEntries(forked, 20)))).toEqual([]);
});

test("a bundle by another key than the one that is known is not believed, complete as it is", () => {
  expect(found(aBundle(all, { key: other }))).toEqual(["key_unknown -"]);
});

test("a bundle by another key than the checkpoint's is not believed, whether a key is known or not", () => {
  const note = noteOfEntries(all, 7);
  expect(found(aBundle(all, { key: other }), { keys: [], checkpoints: [note] })).toEqual(["key_unknown -"]);
});

test("a bundle of another account is named", () => {
  expect(found(aBundle(all, { origin: ORIGIN.replace("d34", "e34") }))).toEqual(["other_log -"]);
});

test("a bundle that begins behind the checkpoint cannot be compared with it", () => {
  expect(found(aBundle(all, { first: 30 }), withCheckpoint(noteOfEntries(all, 7)))).toEqual([
    "not_comparable 7",
  ]);
  expect(found(aBundle(all, { first: 30 }), withCheckpoint(noteOfEntries(all, 29)))).toEqual([]);
});

test("a checkpoint of the bundle that nobody has signed is a finding", () => {
  const [header, ...rest] = aBundle(all, { marks: [10] });
  const forgedNote = JSON.stringify(noteOfEntries(all, 10, { key: other })).slice(1, -1);
  const own = JSON.stringify(noteOfEntries(all, 10)).slice(1, -1);
  expect(found([(header as string).replace(own, forgedNote), ...rest])).toEqual(["checkpoint_unsigned -"]);
});

describe("a log that was handed over to another key", () => {
  const [old, next] = [generateEd25519(), generateEd25519()];
  const handover = signHandover(ORIGIN, { from: old, to: next });
  const noteKey = ({ publicKey }: { publicKey: string }) => ({ name: ORIGIN, publicKey });
  const claimWith = (handovers: readonly LogKeyRecord[]) => {
    const text = noteOfEntries(entries(5), 5, { key: next });
    const own = [noteKey(old), noteKey(next)];
    const header = {
      ...{
        type: "qufabric/audit-bundle/v1",
        account_id: ACCOUNT,
        origin: ORIGIN,
        keys: own.map(verifierKey),
      },
      ...{ first: 1, last: 5, before: [], after: [], checkpoints: [], checkpoint: text, handovers },
    } as unknown as BundleHeader;
    return { header, note: readNote(text) as ReadNote, own };
  };
  const kept = noteOfEntries(entries(3), 3, { key: old });

  test("is believed by the old key, and by a checkpoint that it signed", () => {
    const claim = claimWith([handover]);
    expect(judgeTrust({ keys: [noteKey(old)], checkpoints: [] }, claim)).toMatchObject({
      ...{ findings: [], isAnchored: true },
    });
    expect(judgeTrust({ keys: [], checkpoints: [kept] }, claim)).toMatchObject({
      ...{ findings: [], isAnchored: true },
    });
  });

  test.each([
    ["nobody", []],
    ["a key of its own", [{ ...signHandover(ORIGIN, { from: next, to: next }), old_key: old.publicKey }]],
  ])("is not, by the word of %s", (_name, handovers) => {
    for (const anchors of [
      { keys: [noteKey(old)], checkpoints: [] },
      { keys: [], checkpoints: [kept] },
      { keys: [], checkpoints: [] },
    ]) {
      const { findings, isAnchored } = judgeTrust(anchors, claimWith(handovers));
      expect(findings.map(({ code }) => code)).toContain("key_unknown");
      expect(isAnchored).toBe(false);
    }
  });
});
