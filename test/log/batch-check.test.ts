import { expect, test } from "bun:test";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import type { LogEntry } from "../../src/wire/log-entry.ts";
import { aBatch, aBundle, anEntry, aPeerKey, entries, found, verify } from "../support/log-bundle.ts";

const device = generateEd25519();
const first = aBatch(device, { seq: 2, first: 1, count: 3 });
const second = aBatch(device, { seq: 6, first: 4, count: 2, previous: first.hash });
const log = [aPeerKey(1, device), ...first.entries, ...second.entries];

/** The log with some entries replaced or left out, numbered anew, under a tree of its own. */
const rewritten = (edit: (entry: LogEntry) => LogEntry | null): LogEntry[] =>
  log.flatMap((entry) => edit(entry) ?? []).map((entry, i) => ({ ...entry, seq: i + 1 }));

test("what machines have signed, in their order, is proven", () => {
  expect(verify(aBundle(log))).toMatchObject({ findings: [], batches: { proven: 2, unproven: 0 } });
});

// The tree is made anew by management each time: only the machine's signature tells.
test.each([
  [
    "an event changed",
    rewritten((e) => (e.seq === 3 ? { ...e, data: { ...e.data, detail: "other" } } : e)),
    "batch_forged 5",
  ],
  ["its time changed", rewritten((e) => (e.seq === 3 ? { ...e, at_ms: 1 } : e)), "batch_forged 5"],
  [
    "its salt changed",
    rewritten((e) => (e.seq === 3 ? { ...e, salt: "B".repeat(22) } : e)),
    "batch_forged 5",
  ],
  ["an event dropped", rewritten((e) => (e.seq === 3 ? null : e)), "batch_missing_events 4"],
  ["a whole batch dropped", rewritten((e) => (e.seq >= 2 && e.seq <= 5 ? null : e)), "-"],
  [
    "a batch from the middle dropped",
    [...log, ...aBatch(device, { seq: 9, first: 6, count: 1, previous: second.hash }).entries]
      .filter((e) => e.seq < 6 || e.seq > 8)
      .map((e, i) => ({ ...e, seq: i + 1 })),
    "batch_out_of_chain 7",
  ],
  [
    "a batch that management made up",
    [...log, ...aBatch(generateEd25519(), { seq: 9, first: 6, count: 1, previous: second.hash }).entries],
    "batch_forged 10",
  ],
  [
    "a batch acknowledged and its events not stored",
    rewritten((e) => (e.seq >= 6 && e.seq <= 7 ? null : e)),
    "batch_missing_events 6",
  ],
  ["the key of the machine replaced", [...log, aPeerKey(9, generateEd25519())], "peer_key_changed 9"],
  ["no key of the machine", rewritten((e) => (e.seq === 1 ? null : e)), "batch_forged 4"],
])("management that rewrites the log is found: %s", (_, entriesOf, finding) => {
  const codes = found(aBundle(entriesOf));
  if (finding === "-")
    expect(codes).toEqual([]); // Nothing but a checkpoint from outside can tell.
  else expect(codes).toContain(finding);
});

test("the same key said again is no finding", () => {
  expect(found(aBundle([...log, aPeerKey(9, device)]))).toEqual([]);
});

test("batches whose events retention has removed are not checked, and no finding", () => {
  const { findings, batches } = verify(aBundle(log, { prunedThrough: 3 }));
  expect({ findings, batches }).toEqual({ findings: [], batches: { proven: 1, unproven: 1 } });
});

test("behind what was removed a batch is checked again", () => {
  const many = entries(1_100).map((entry, i) => (i === 0 ? aPeerKey(1, device) : entry));
  const forged = aBatch(device, { seq: 1_101, first: 1, count: 2 }).entries;
  forged[0] = { ...(forged[0] as LogEntry), at_ms: 1 };
  expect(found(aBundle([...many, ...forged], { prunedThrough: 20 }))).toContain("batch_forged 1103");
});

test("a batch that claims any number of events is bounded", () => {
  const claim = aBatch(device, { seq: 9, first: 6, count: 1, previous: second.hash }).entries[1] as LogEntry;
  const data = { ...claim.data, last_seq: Number.MAX_SAFE_INTEGER };
  const codes = found(aBundle([...log, anEntry(9, { activity_code: "agent.batch", data })]));
  expect(codes).toContain("batch_forged 9");
});
