import { expect, test } from "bun:test";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { runAttacks } from "../../../src/client/selftest/attack.ts";
import { type LogAccess, logAttacks } from "../../../src/client/selftest/log-attacks.ts";
import { verifierKey } from "../../../src/log/checkpoint.ts";
import { entries, logKey, noteOfEntries, ORIGIN } from "../../support/log-bundle.ts";

const all = entries(9);
const noteKey = (publicKey: string) => ({ name: ORIGIN, publicKey });

function access(change: Partial<LogAccess> & { key?: string; note?: string } = {}): LogAccess {
  const { key = logKey.publicKey, note = noteOfEntries(all), ...more } = change;
  return {
    checkpoint: async () => ({
      ...{ note, origin: ORIGIN, size: 9, root: `${"A".repeat(43)}=`, made_at: "2026-11-30T00:00:00Z" },
      keys: [verifierKey(noteKey(key))],
    }),
    consistency: async (from, to) => ({ from, to, proof: [] }),
    inclusion: async (seq, size) => ({ seq, size, leaf: `${"A".repeat(43)}=`, proof: [] }),
    pinned: async () => ({ keys: [noteKey(logKey.publicKey)], checkpoints: [noteOfEntries(all)] }),
    ...more,
  };
}

const outcomesOf = async (log: LogAccess | null) =>
  (await runAttacks(logAttacks("https://qf.example.com", log))).results.map(
    ({ id, outcome }) => `${id} ${outcome}`,
  );

test("without the right to read the log they are skipped", async () => {
  expect(await outcomesOf(null)).toEqual(["log_key skipped", "log_fork skipped", "log_proofs skipped"]);
});

test("the log that was seen before goes on; proofs that do not hold are said to break", async () => {
  expect(await outcomesOf(access())).toEqual(["log_key held", "log_fork held", "log_proofs broke"]);
});

test("a log by another key, or cut back, or forked, is said to break", async () => {
  const evil = generateEd25519();
  const other = access({ key: evil.publicKey, note: noteOfEntries(all, 9, { key: evil }) });
  expect(await outcomesOf(other)).toContain("log_key broke");
  const cutBack = access({ note: noteOfEntries(all, 5) });
  expect(await outcomesOf(cutBack)).toContain("log_fork broke");
  const forked = access({ note: noteOfEntries(entries(10).slice(1)) });
  expect(await outcomesOf(forked)).toContain("log_fork broke");
});
