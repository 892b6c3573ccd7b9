/**
 * An agent's signed batches: a machine's commitment to its events, so that management can neither change nor
 * drop them unnoticed.
 *
 * A batch's hash is the root of a tree over the salted hashes of its events. Each batch names the previous
 * one's hash.
 *
 * @module
 */
import { type Ed25519Key, signEd25519, verifyEd25519 } from "../base/ed25519.ts";
import type { AgentEvent } from "../wire/audit-event.ts";
import type { BatchRecord } from "../wire/log-entry.ts";
import { signedBytes } from "../wire/signed-fields.ts";
import type { AccountId } from "../wire/units.ts";
import { asStored, canonicalJson } from "./canonical-json.ts";
import { isSameHash, leafHash, treeHash } from "./tree-hash.ts";

/** The signed fields of a batch. */
export type BatchFields = Omit<BatchRecord, "signature">;

/** The hash of an event with its salt. `body`: its canonical body, if already computed. */
export function eventHash(event: AgentEvent, salt: string, body = canonicalBody(event)): Buffer {
  const { atMs, seq } = event;
  return leafHash(`{"atMs":${atMs},"body":${body},"salt":${canonicalJson(asStored(salt))},"seq":${seq}}`);
}

/** The canonical JSON of an event without a salt. */
export function eventText({ atMs, seq }: Pick<AgentEvent, "atMs" | "seq">, body: string): string {
  return `{"atMs":${atMs},"body":${body},"seq":${seq}}`;
}

/** The canonical JSON of the body of an event. */
export function canonicalBody({ body }: Pick<AgentEvent, "body">): string {
  return canonicalJson(asStored(body));
}

/** The hash of a batch of events with these hashes, base64url. */
export function batchHash(eventHashes: readonly Uint8Array[]): string {
  return Buffer.from(treeHash(eventHashes)).toString("base64url");
}

/** Whether the batch is over events with these hashes. */
export function isBatchOf(eventHashes: readonly Uint8Array[], { hash }: Pick<BatchFields, "hash">): boolean {
  return isSameHash(treeHash(eventHashes), Buffer.from(hash, "base64url"));
}

/** The device key's signature, base64url. */
export function signBatch(key: Ed25519Key, accountId: AccountId, fields: BatchFields): string {
  return signEd25519(key, bytesOf(accountId, fields));
}

export function isSignedBatch(publicKey: string, accountId: AccountId, record: BatchRecord): boolean {
  return verifyEd25519(publicKey, bytesOf(accountId, record), record.signature);
}

/** The order is part of the signature. */
function bytesOf(accountId: AccountId, batch: BatchFields): Uint8Array {
  const { peer_id, management, first_seq, last_seq, hash, previous } = batch;
  const scope = { accountId, origin: management };
  return signedBytes("audit", scope, { peerId: peer_id, first: first_seq, last: last_seq, hash, previous });
}
