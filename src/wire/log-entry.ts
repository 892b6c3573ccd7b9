/**
 * The account's log: its leaves, its agents' batches, and the bundle of an export.
 *
 * A leaf is exactly the canonical JSON of a `LogEntry`; a bundle has one per line. Readers ignore unknown
 * fields, since the hash is over the text.
 *
 * @module
 */
import { z } from "zod";
import { lazySchema } from "./lazy-schema.ts";
import {
  AccountId,
  Ed25519PublicKey,
  Ed25519Signature,
  EpochSeconds,
  HttpUrl,
  PeerId,
  Sha256,
} from "./units.ts";

/** Most events in one upload. The rest waits for its acknowledgement. */
export const AUDIT_BATCH_MAX = 256;

/** 16 random bytes, base64url. They prevent guessing the content of an event whose body is gone. */
export const Salt = lazySchema(() => z.string().regex(/^[A-Za-z0-9_-]{22}$/, "is not 16 bytes of base64url"));

const seq = z.int().min(1);

/** An event as a leaf of the log. */
export const LogEntry = lazySchema(() =>
  z.object({
    seq,
    /** When it happened and when management stored it, in Unix milliseconds. */
    at_ms: z.int().min(0),
    stored_at_ms: z.int().min(0),
    activity_code: z.string().max(64),
    initiator_id: z.string().max(1024),
    initiator_name: z.string().max(4096),
    initiator_email: z.string().max(4096),
    target_id: z.string().max(1024),
    meta: z.record(z.string(), z.string()),
    data: z.record(z.string(), z.unknown()).optional(),
    /** The machine that reported it, and its number there. Absent: management itself. */
    agent: z.object({ peer_id: PeerId, seq }).optional(),
    receipt: z.string().max(64).optional(),
    /** Chosen by the event's author: the machine, for events in a signed batch. */
    salt: Salt,
  }),
);
export type LogEntry = z.infer<typeof LogEntry>;

/** `previous` of an agent's first batch. */
export const NO_BATCH = "A".repeat(43);

/** What an agent signs for the events of one upload (`log/batch.ts`). */
const batchFields = { first_seq: seq, last_seq: seq, hash: Sha256, previous: Sha256 };

/** The body of an `agent.batch` event. */
export const BatchRecord = lazySchema(() =>
  z.object({
    ...batchFields,
    peer_id: PeerId,
    /** Management's origin at the machine's enrolment; part of what it signed. */
    management: HttpUrl,
    signature: Ed25519Signature,
  }),
);
export type BatchRecord = z.infer<typeof BatchRecord>;

/** An agent's signature over the events of one upload, in order. */
export const SignedBatch = lazySchema(() =>
  z.strictObject({
    ...batchFields,
    signature: Ed25519Signature,
    salts: z.array(Salt).min(1).max(AUDIT_BATCH_MAX),
  }),
);
export type SignedBatch = z.infer<typeof SignedBatch>;

/** The body of a `peer.key` event: the peer's device key from here on. */
export const PeerKeyRecord = lazySchema(() => z.object({ device_key: Ed25519PublicKey }));
export type PeerKeyRecord = z.infer<typeof PeerKeyRecord>;

/** The body of a `log.key` event: another key signs the log from here on. Both keys sign this. */
export const LogKeyRecord = lazySchema(() =>
  z.object({
    old_key: Ed25519PublicKey,
    new_key: Ed25519PublicKey,
    old_signature: Ed25519Signature,
    new_signature: Ed25519Signature,
  }),
);
export type LogKeyRecord = z.infer<typeof LogKeyRecord>;

/** The body of a `management.move` event: management has moved. Signed by the log's key. */
export const MoveRecord = lazySchema(() =>
  z.object({
    from: HttpUrl,
    to: HttpUrl,
    at_seconds: EpochSeconds,
    /** Until then it also answers at the old address. */
    until_seconds: EpochSeconds,
    signature: Ed25519Signature,
  }),
);
export type MoveRecord = z.infer<typeof MoveRecord>;

/** A move as management stores it. Each account's log key signs its own copy. */
export const StoredMove = lazySchema(() =>
  MoveRecord.omit({ signature: true }).extend({
    /** Accounts whose log already contains the move. */
    logged: z.array(AccountId),
  }),
);
export type StoredMove = z.infer<typeof StoredMove>;

/** The body of a `log.lost` event: entries that a machine has seen and the log lacks. */
export const LostTailRecord = lazySchema(() =>
  z.object({
    from: seq,
    to: seq,
    /** The signed checkpoint over them. */
    note: z.string().max(4096),
  }),
);
export type LostTailRecord = z.infer<typeof LostTailRecord>;

/** Changes of a log's key, oldest first. */
const handovers = () => z.array(LogKeyRecord).max(64).optional();

/** An account's log: the first line of its checkpoints, and the key that signs them. */
export const LogIdentity = lazySchema(() =>
  z.object({ origin: z.string().min(1).max(512), key: Ed25519PublicKey }),
);
export type LogIdentity = z.infer<typeof LogIdentity>;

/** Most moves announced at once. */
export const MOVES_MAX = 16;

/**
 * The log as management announces it. `handovers`: the key changes that led to its key. Absent: it is the
 * first key. `moves`: management's earlier addresses, oldest first. Absent: no moves, or none recent.
 */
export const ServedLog = lazySchema(() =>
  LogIdentity.extend({
    handovers: handovers(),
    moves: z.array(MoveRecord).max(MOVES_MAX).optional(),
  }),
);
export type ServedLog = z.infer<typeof ServedLog>;

/** A hash of the tree, encoded as in notes. */
export const TreeHash = lazySchema(() => z.string().regex(/^[A-Za-z0-9+/]{43}=$/, "is not a hash"));
/** Hashes in one proof: enough for 2^53 leaves. */
export const Proof = lazySchema(() => z.array(TreeHash).max(64));

/** The first line of a bundle. */
export const BundleHeader = lazySchema(() =>
  z.object({
    type: z.literal("qufabric/audit-bundle/v1"),
    account_id: AccountId,
    origin: z.string().max(512),
    /** Verifier keys of the log, as Go's `note.NewVerifier` takes them; the newest last. */
    keys: z.array(z.string().max(1024)).min(1).max(65),
    /** The changes to each key after the first. Absent: there is only one key. */
    handovers: handovers(),
    /** Entries from `first` on follow, through `last`. `last` = `first` - 1: none. */
    first: seq,
    last: z.int().min(0),
    /** Hashes of the complete subtrees before `first` and after `last`, left to right. */
    before: Proof,
    after: z.array(TreeHash).max(128),
    /** Notes of smaller trees in between. They locate a difference between two of them. */
    checkpoints: z.array(z.string().max(4096)).max(64),
    /** The signed note of the whole tree. */
    checkpoint: z.string().max(4096),
  }),
);
export type BundleHeader = z.infer<typeof BundleHeader>;

/** A bundle line in place of an entry whose body retention has removed. `hash` is the leaf's. */
export const PrunedEntry = lazySchema(() => z.strictObject({ seq, hash: TreeHash }));
export type PrunedEntry = z.infer<typeof PrunedEntry>;

/** A bundle line after a block of entries with their leaf hashes, which identify a changed entry. */
export const HashLine = lazySchema(() =>
  z.strictObject({ first: seq, hashes: z.array(TreeHash).min(1).max(64) }),
);
export type HashLine = z.infer<typeof HashLine>;
