/**
 * Bundles of the log for tests, made from entries without a management.
 */
import { type Ed25519Key, generateEd25519 } from "../../src/base/ed25519.ts";
import { batchHash, eventHash, signBatch } from "../../src/log/batch.ts";
import { canonicalJson } from "../../src/log/canonical-json.ts";
import { signCheckpoint, verifierKey } from "../../src/log/checkpoint.ts";
import { leafHash, treeHash } from "../../src/log/tree-hash.ts";
import { nodesOf } from "../../src/log/tree-ranges.ts";
import type { Anchors } from "../../src/log/trust.ts";
import { type BundleReport, BundleVerifier } from "../../src/log/verify-bundle.ts";
import type { AgentEvent } from "../../src/wire/audit-event.ts";
import { type LogEntry, NO_BATCH } from "../../src/wire/log-entry.ts";

export const ACCOUNT = "d34hgk3f9s8d7f6g5h4j";
export const ORIGIN = `qf.example.com/qufabric/${ACCOUNT}`;
export const PEER = "p34hgk3f9s8d7f6g5h4j";
const SALT = Buffer.alloc(16, 1).toString("base64url");

export function anEntry(seq: number, change: Partial<LogEntry> = {}): LogEntry {
  return {
    seq,
    at_ms: 1_000 + seq,
    stored_at_ms: 2_000 + seq,
    activity_code: "group.add",
    initiator_id: "u34hgk3f9s8d7f6g5h4j",
    initiator_name: "ada",
    initiator_email: "ada@example.com",
    target_id: "g34hgk3f9s8d7f6g5h4j",
    meta: { name: `group ${seq}` },
    salt: SALT,
    ...change,
  };
}

export const entries = (count: number): LogEntry[] => Array.from({ length: count }, (_, i) => anEntry(i + 1));

/** What a machine said, as the log has it: its events from number `first` on, and the batch over them. */
export function aBatch(
  device: Ed25519Key,
  at: { readonly seq: number; readonly first: number; readonly count: number; readonly previous?: string },
): { entries: LogEntry[]; hash: string } {
  const events = Array.from({ length: at.count }, (_, i): AgentEvent => {
    return {
      seq: at.first + i,
      atMs: 5_000 + i,
      body: { type: "agent.state", what: "started", detail: `${i}` },
    };
  });
  const hash = batchHash(events.map((event) => eventHash(event, SALT)));
  const fields = {
    peer_id: PEER,
    management: "https://qf.example.com",
    first_seq: at.first,
    last_seq: at.first + at.count - 1,
    hash,
    previous: at.previous ?? NO_BATCH,
  };
  const stored = events.map((event, i) =>
    anEntry(at.seq + i, {
      activity_code: "agent.state",
      at_ms: event.atMs,
      data: { ...event.body },
      agent: { peer_id: PEER, seq: event.seq },
    }),
  );
  const data = { ...fields, signature: signBatch(device, ACCOUNT, fields) };
  return {
    entries: [...stored, anEntry(at.seq + at.count, { activity_code: "agent.batch", target_id: PEER, data })],
    hash,
  };
}

export const aPeerKey = (seq: number, device: Ed25519Key): LogEntry =>
  anEntry(seq, { activity_code: "peer.key", target_id: PEER, data: { device_key: device.publicKey } });

export interface BundleOptions {
  readonly key?: Ed25519Key;
  readonly origin?: string;
  readonly first?: number;
  readonly last?: number;
  /** Entries through this number have only their hashes. */
  readonly prunedThrough?: number;
  /** Sizes of smaller checkpoints that are in it. */
  readonly marks?: readonly number[];
  /** Entries between two lines of hashes. */
  readonly block?: number;
}

export const logKey = generateEd25519();
export const hashesOf = (all: readonly LogEntry[]): Buffer[] =>
  all.map((entry) => leafHash(canonicalJson(entry)));

/** The signed note of the first `size` of `all`. */
export function noteOfEntries(
  all: readonly LogEntry[],
  size = all.length,
  options: BundleOptions = {},
): string {
  const root = treeHash(hashesOf(all).slice(0, size));
  return signCheckpoint({ origin: options.origin ?? ORIGIN, size, root }, options.key ?? logKey);
}

/** The lines of the bundle of `all`. */
export function aBundle(all: readonly LogEntry[], options: BundleOptions = {}): string[] {
  const {
    key = logKey,
    origin = ORIGIN,
    first = 1,
    last = all.length,
    prunedThrough = 0,
    block = 64,
  } = options;
  const hashes = hashesOf(all);
  const subtrees = (from: number, to: number) =>
    nodesOf({ from, to }).map(({ level, index }) =>
      Buffer.from(treeHash(hashes.slice(index * 2 ** level, (index + 1) * 2 ** level))).toString("base64"),
    );
  const header = {
    type: "qufabric/audit-bundle/v1",
    account_id: origin.slice(origin.lastIndexOf("/") + 1),
    origin,
    keys: [verifierKey({ name: origin, publicKey: key.publicKey })],
    first,
    last,
    before: subtrees(0, first - 1),
    after: subtrees(last, all.length),
    checkpoints: (options.marks ?? []).map((size) => noteOfEntries(all, size, options)),
    checkpoint: noteOfEntries(all, all.length, options),
  };
  const lines = [canonicalJson(header)];
  for (let at = first; at <= last; at += block) {
    const end = Math.min(last, at + block - 1);
    const part = hashes.slice(at - 1, end).map((hash) => hash.toString("base64"));
    for (let seq = at; seq <= end; seq++) {
      const hash = part[seq - at];
      lines.push(canonicalJson(seq <= prunedThrough ? { seq, hash } : all[seq - 1]));
    }
    lines.push(canonicalJson({ first: at, hashes: part }));
  }
  return lines;
}

export const trusted: Anchors = { keys: [{ name: ORIGIN, publicKey: logKey.publicKey }], checkpoints: [] };

export function verify(lines: readonly string[], anchors: Anchors = trusted): BundleReport {
  const verifier = new BundleVerifier(anchors);
  for (const line of lines) verifier.line(line);
  return verifier.end();
}

/** Codes and numbers of the findings. */
export const found = (lines: readonly string[], anchors: Anchors = trusted): string[] =>
  verify(lines, anchors).findings.map(({ code, seq }) => `${code} ${seq ?? "-"}`);
