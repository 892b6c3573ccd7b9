/**
 * The audit log: what an event costs to store with its place in the tree and without, an export, and the
 * verification of a million entries.
 */
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import { silentLog } from "../../src/base/log.ts";
import { bundleText } from "../../src/log/bundle-text.ts";
import { canonicalJson } from "../../src/log/canonical-json.ts";
import { signCheckpoint, verifierKey } from "../../src/log/checkpoint.ts";
import { CompactRange } from "../../src/log/compact-range.ts";
import { leafHash } from "../../src/log/tree-hash.ts";
import { BundleVerifier } from "../../src/log/verify-bundle.ts";
import { openStore, type Store } from "../../src/management/db/store.ts";
import { appendEvents, type NewEvent, systemInitiator } from "../../src/management/db/tables/audit-events.ts";
import { addAccount } from "../../src/management/init.ts";
import { createAccountLogs } from "../../src/management/log/account-logs.ts";
import { bundleHeader, bundleLines } from "../../src/management/log/bundle.ts";
import { ACCOUNT, anEntry, ORIGIN } from "../support/log-bundle.ts";
import type { Bench, Part } from "./figures.ts";

const BATCHES = 100;
const BATCH_EVENTS = 256;
const VERIFIED = 1_000_000;
const PAGE = 1_000;
const masterKey = new Uint8Array(32).fill(7);

export const logPart: Part = {
  name: "log",
  async run(bench) {
    const root = await mkdtemp(join(tmpdir(), "qf-bench-log-"));
    try {
      const without = await appended(join(root), bench, null);
      await appended(join(root), bench, without);
      verified(bench);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  },
};

/** Stores events, in a log unless this is the first time; then exports it. Returns events per second. */
async function appended(root: string, bench: Bench, without: number | null): Promise<number> {
  const dataDir = await mkdtemp(join(root, "data-"));
  const store = openStore({ dataDir, clock: systemClock, log: silentLog, create: true });
  try {
    const owner = { email: "owner@example.com", passwordHash: "none" };
    const { accountId } = await store.transaction((tx) => addAccount(tx, masterKey, owner));
    const deps = { store, clock: systemClock, log: silentLog, origin: "https://qf.example.com", masterKey };
    const logs = createAccountLogs(deps);
    if (without !== null) await logs.begin(accountId);
    const startMs = performance.now();
    for (let i = 0; i < BATCHES; i++) await storeBatch(store, accountId);
    const perSecond = (BATCHES * BATCH_EVENTS) / ((performance.now() - startMs) / 1_000);
    if (without === null) return perSecond;
    bench.add({
      what: `audit append, uploads of ${BATCH_EVENTS} events, with the tree`,
      ours: `${Math.round(perSecond)} events/s`,
      against: `${Math.round(without)} events/s without`,
      ratio: (perSecond / without).toFixed(2),
      reach: ">= 1,000 events/s",
      figures: { perSecond, withoutPerSecond: without },
    });
    await exported(bench, { store, logs }, accountId);
    return perSecond;
  } finally {
    await store.close();
  }
}

function storeBatch(store: Store, accountId: string): Promise<number | undefined> {
  const event = (i: number): NewEvent => ({
    activity: "ssh.decision.allow",
    targetId: ACCOUNT,
    meta: { machine: "web1", local_user: "deploy", outcome: "allow" },
    data: {
      type: "decision",
      i,
      trace: Array.from({ length: 8 }, (_, k) => ({ rule: `r${k}`, outcome: "source" })),
    },
  });
  const events = Array.from({ length: BATCH_EVENTS }, (_, i) => event(i));
  return store.transaction((tx) => appendEvents(tx, accountId, systemInitiator, events));
}

async function exported(
  bench: Bench,
  parts: { store: Store; logs: ReturnType<typeof createAccountLogs> },
  accountId: string,
): Promise<void> {
  const startMs = performance.now();
  const header = await bundleHeader(parts, accountId, {});
  let lines = 0;
  for await (const _ of bundleText(header, pages(parts.store, accountId, header.last))) lines += 1;
  const perSecond = header.last / ((performance.now() - startMs) / 1_000);
  bench.add({
    what: "audit export",
    ours: `${Math.round(perSecond)} entries/s`,
    figures: { perSecond, lines },
  });
}

async function* pages(store: Store, accountId: string, last: number) {
  for (let after = 0; after < last; after += PAGE) {
    yield (await store.read((tx) => bundleLines(tx, accountId, { after, limit: PAGE }))).lines;
  }
}

/** Twice over the same lines, which are made as they are read: first for their root. */
function verified(bench: Bench): void {
  const key = generateEd25519();
  const noteKey = { name: ORIGIN, publicKey: key.publicKey };
  const range = new CompactRange();
  for (let seq = 1; seq <= VERIFIED; seq++) range.append(leafHash(canonicalJson(anEntry(seq))));
  const header = {
    type: "qufabric/audit-bundle/v1",
    ...{ account_id: ACCOUNT, origin: ORIGIN, keys: [verifierKey(noteKey)], first: 1, last: VERIFIED },
    ...{ before: [], after: [], checkpoints: [] },
    checkpoint: signCheckpoint({ origin: ORIGIN, size: VERIFIED, root: range.root() }, key),
  };
  const verifier = new BundleVerifier({ keys: [noteKey], checkpoints: [] });
  verifier.line(canonicalJson(header));
  let spentMs = 0;
  for (let seq = 1; seq <= VERIFIED; seq += PAGE) {
    const lines = Array.from({ length: PAGE }, (_, i) => canonicalJson(anEntry(seq + i)));
    const startMs = performance.now();
    for (const line of lines) verifier.line(line);
    spentMs += performance.now() - startMs;
  }
  const { findings, isAnchored } = verifier.end();
  if (findings.length > 0 || !isAnchored) throw new Error("the log did not verify");
  bench.add({
    what: "audit verify of 1,000,000 entries",
    ours: `${(spentMs / 1_000).toFixed(1)} s (${Math.round(VERIFIED / (spentMs / 1_000))} entries/s)`,
    figures: { spentMs, rssBytes: process.memoryUsage.rss() },
  });
}
