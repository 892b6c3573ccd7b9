import { expect, test } from "bun:test";
import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BatchJournal } from "../../src/audit/batch-journal.ts";
import type { StoredBatch } from "../../src/wire/audit-journal.ts";
import { tempFolder } from "../support/temp-folder.ts";

const hash = (character: string) => `${character.repeat(42)}A`;
const batch = (first_seq: number, last_seq: number): StoredBatch => ({
  first_seq,
  last_seq,
  hash: hash("b"),
  previous: hash("a"),
  signature: "A".repeat(86),
});

test("what was stored is there after a new start, also behind a line that was cut short", async () => {
  const directory = tempFolder();
  const journal = await BatchJournal.open(directory);
  await journal.add(batch(1, 3));
  await journal.add(batch(4, 9));
  await journal.prove(3, 1);
  appendFileSync(join(directory, "batches.jsonl"), '{"batch":{"first_seq":10');
  const again = await BatchJournal.open(directory);
  expect([again.provenThrough, again.last]).toEqual([3, batch(4, 9)]);
  await again.add(batch(10, 10));
  expect((await BatchJournal.open(directory)).last).toEqual(batch(10, 10));
  expect(statSync(join(directory, "batches.jsonl")).mode & 0o777).toBe(0o600);
});

test("an event is found in its batch; one between batches has the next", async () => {
  const journal = await BatchJournal.open(tempFolder());
  await journal.add(batch(1, 3));
  await journal.add(batch(7, 9));
  expect(journal.around(2)).toEqual({ batch: batch(1, 3) });
  expect(journal.around(5)).toEqual({ next: batch(7, 9) });
  expect(journal.around(10)).toEqual({});
  expect(journal.after(3)).toEqual(batch(7, 9));
  const { batch: found } = journal.around(2);
  if (found !== undefined) journal.forget(found);
  expect(journal.around(2)).toEqual({ next: batch(7, 9) });
});

test("batches of events that are gone go with them; the last one stays, since the next names it", async () => {
  const journal = await BatchJournal.open(tempFolder());
  for (let i = 0; i < 5; i++) await journal.add(batch(i * 10 + 1, i * 10 + 10));
  await journal.prove(40, 31);
  expect(journal.around(5)).toEqual({ next: batch(31, 40) });
  await journal.prove(50, 99);
  expect(journal.last).toEqual(batch(41, 50));
});

test("a file that has grown is written anew, with what still counts", async () => {
  const directory = tempFolder();
  const path = join(directory, "batches.jsonl");
  const line = `${JSON.stringify({ batch: batch(1, 1) })}\n`;
  writeFileSync(path, line.repeat(5_000));
  const journal = await BatchJournal.open(directory);
  await journal.add(batch(2, 2));
  await journal.prove(2, 2);
  expect(statSync(path).size).toBeLessThan(1_000);
  expect(readFileSync(path, "utf8")).toContain('"proven":2');
});
