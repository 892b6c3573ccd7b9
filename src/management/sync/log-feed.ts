/**
 * Checkpoints for agents, which witness the log. Each agent gets a newer checkpoint with the proof that it
 * extends the one it holds, and inclusion proofs of its own batches, which it may then delete.
 *
 * At most once a minute while a machine's batches wait for a proof, else every 10 minutes. Read `#told`, then
 * `#feed`.
 *
 * @module
 */
import { readNote } from "../../log/checkpoint.ts";
import { isConsistent } from "../../log/proofs.ts";
import type { AgentMessage, ManagementMessage, ProvenLeaf } from "../../wire/agent-sync.ts";
import type { AccountId } from "../../wire/units.ts";
import type { ManagementContext } from "../contracts/context.ts";
import type { Reader } from "../db/engine/transaction.ts";
import type { Store } from "../db/store.ts";
import { listEventRange } from "../db/tables/audit-events.ts";
import { listBatches } from "../db/tables/log-batches.ts";
import type { StoredCheckpoint } from "../db/tables/log-checkpoints.ts";
import { findPeerKeyEvent } from "../db/tables/log-keys.ts";
import { leafOf } from "../db/tables/log-leaf.ts";
import { acknowledgedLoss, noteLostTail } from "../log/lost-tail.ts";
import { consistencyProof, inclusionProof } from "../log/proofs.ts";
import type { AgentLink } from "./link.ts";

/** How often links are checked. */
const LOOK_MS = 5_000;
/** Time between two checkpoints for an agent whose batches wait, and for any other. */
const WAITING_MS = 60_000;
const IDLE_MS = 600_000;
/** Batches proven in one message. */
const BATCHES_MAX = 256;
/** Agents fed at once. */
const FEEDS_MAX = 16;
/** Proofs that one agent may ask for between two checkpoints. */
const ASKED_MAX = 32;

type Told = Extract<AgentMessage, { type: "log_at" }>;
type Asked = Extract<AgentMessage, { type: "log_ask" }>;
type Fed = Pick<AgentLink, "accountId" | "peerId" | "name" | "send">;

interface Feed {
  size: number;
  provenThrough: number;
  /** When it was last sent a checkpoint, by the monotonic clock. */
  sentAtMs: number;
  /** The last leaf about its own key that it was sent. */
  keySeq: number;
  /** It has uploaded a batch and has no proof of it yet. */
  isWaiting: boolean;
  asked: number;
  /** It has seen another log than the current one: an older backup was restored. */
  differs: boolean;
}

export class LogFeed {
  readonly #ctx: ManagementContext;
  readonly #feeds = new Map<Fed, Feed>();
  readonly #timer: ReturnType<typeof setInterval>;
  #isLooking = false;

  constructor(ctx: ManagementContext, { lookMs = LOOK_MS }: { readonly lookMs?: number } = {}) {
    this.#ctx = ctx;
    this.#timer = setInterval(() => void this.look(), lookMs);
    this.#timer.unref();
  }

  async take(link: Fed, message: Told | Asked): Promise<void> {
    if (message.type === "log_at") await this.#told(link, message);
    else await this.#asked(link, message);
  }

  /** Handles the agent's report of what it holds: the first one, and the answers to checkpoints. */
  async #told(link: Fed, { size, provenThrough, note }: Told): Promise<void> {
    const known = this.#feeds.get(link);
    const fresh = {
      sentAtMs: Number.NEGATIVE_INFINITY,
      asked: 0,
      keySeq: 0,
      isWaiting: true,
      differs: false,
    };
    const differs = known?.differs === true && known.size === size;
    const feed = { ...(known ?? fresh), size, provenThrough, differs };
    this.#feeds.set(link, feed);
    if (known === undefined && note !== undefined) feed.differs = await this.#differs(link, { size, note });
  }

  /** Notes that the agent has uploaded a batch. */
  uploaded(link: Fed): void {
    const feed = this.#feeds.get(link);
    if (feed !== undefined) feed.isWaiting = true;
  }

  /** Sends the proof that the agent asks for, between two log sizes that it was shown elsewhere. */
  async #asked(link: Fed, { from, to }: Asked): Promise<void> {
    const { store } = this.#ctx;
    const feed = this.#feeds.get(link);
    if (feed === undefined || feed.asked >= ASKED_MAX) return;
    feed.asked += 1;
    const proof = await store
      .read((tx) => consistencyProof(tx, link.accountId, { from, to }))
      .catch(() => null);
    link.send({ type: "log_proof", from, to, proof });
  }

  remove(link: Fed): void {
    this.#feeds.delete(link);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#feeds.clear();
  }

  /**
   * Whether the agent has seen another log than the current one. A larger log than ours, signed with our key,
   * is recorded: ours was cut back, as by restoring an older backup.
   */
  async #differs(
    link: Fed,
    { size, note }: { readonly size: number; readonly note: string },
  ): Promise<boolean> {
    const { logs, log } = this.#ctx;
    const newest = await logs.newest(link.accountId);
    if (newest === undefined) return false;
    if (size <= newest.size) return isOfOther(this.#ctx.store, link.accountId, { note, newest });
    log.error("a machine has seen a longer log than there is: an older copy of the data was put back", {
      peerId: link.peerId,
      size,
      ours: newest.size,
      note,
    });
    link.send({ type: "log", note: newest.note, consistency: [], batches: [] });
    // Our own signature proves it; a note that we did not sign raises no alarm.
    await noteLostTail(this.#ctx, link.accountId, note);
    return true;
  }

  /** Sends checkpoints to agents that are due. Never rejects. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const nowMs = this.#ctx.clock.monotonicMs();
      const due = [...this.#feeds].filter(([, feed]) => {
        return nowMs - feed.sentAtMs >= (feed.isWaiting ? WAITING_MS : IDLE_MS);
      });
      const newest = new Map<string, Promise<StoredCheckpoint | undefined>>();
      for (let i = 0; i < due.length; i += FEEDS_MAX) {
        await Promise.all(
          due.slice(i, i + FEEDS_MAX).map(async ([link, feed]) => {
            const known = newest.get(link.accountId) ?? this.#ctx.logs.newest(link.accountId);
            newest.set(link.accountId, known);
            const checkpoint = await known;
            if (feed.differs && (await this.#offerRestored(link, feed))) return;
            if (checkpoint !== undefined && checkpoint.size > feed.size) {
              await this.#feed(link, { feed, checkpoint });
            }
          }),
        );
      }
    } catch (cause) {
      this.#ctx.log.warn("agents could not be sent a checkpoint", {}, cause);
    } finally {
      this.#isLooking = false;
    }
  }

  /** Shows the agent what the log lost and who acknowledged that. False: the loss is not acknowledged. */
  async #offerRestored(link: Fed, feed: Feed): Promise<boolean> {
    const { store, logs } = this.#ctx;
    const { accountId } = link;
    const loss = await store.read((tx) => acknowledgedLoss(tx, accountId, feed.size));
    if (loss === null) return false;
    const { note, size } = await logs.checkpoint(accountId);
    const restored = await store.read(async (tx) => ({
      lost: await provenLeaf(tx, accountId, { seq: loss.lost, size }),
      acknowledged: await provenLeaf(tx, accountId, { seq: loss.acknowledged, size }),
    }));
    const { lost, acknowledged } = restored;
    if (lost === null || acknowledged === null) return false;
    feed.sentAtMs = this.#ctx.clock.monotonicMs();
    feed.asked = 0;
    link.send({ type: "log", note, consistency: [], batches: [], restored: { lost, acknowledged } });
    return true;
  }

  async #feed(
    link: Fed,
    { feed, checkpoint }: { readonly feed: Feed; readonly checkpoint: StoredCheckpoint },
  ): Promise<void> {
    const { size, note } = checkpoint;
    const { accountId, peerId } = link;
    const message = await this.#ctx.store.read(async (tx) => {
      const consistency = await consistencyProof(tx, accountId, { from: feed.size, to: size });
      const rows = await listBatches(tx, peerId, { afterSeq: feed.provenThrough, size, max: BATCHES_MAX });
      const batches = [];
      for (const { logSeq: seq } of rows) {
        const shown = await provenLeaf(tx, accountId, { seq, size });
        if (shown === null) break; // Retention has deleted it, and batches are proven in order.
        batches.push(shown);
      }
      const ownKey = await newestKey(tx, link, { size, after: feed.keySeq });
      return { type: "log" as const, note, consistency, batches, ...(ownKey === null ? {} : { ownKey }) };
    });
    feed.keySeq = message.ownKey?.seq ?? feed.keySeq;
    feed.sentAtMs = this.#ctx.clock.monotonicMs();
    feed.asked = 0;
    feed.isWaiting = message.batches.length === BATCHES_MAX;
    const log = await this.#ctx.logs.identity(accountId);
    link.send({ ...message, ...(log?.handovers === undefined ? {} : { log }) });
  }
}

/** The newest leaf about the machine's device key, unless it was sent already. */
async function newestKey(
  tx: Reader,
  { accountId, peerId }: Fed,
  { size, after }: { readonly size: number; readonly after: number },
): Promise<NonNullable<Extract<ManagementMessage, { type: "log" }>["ownKey"]> | null> {
  const event = await findPeerKeyEvent(tx, accountId, peerId);
  if (event === undefined || event.seq <= after || event.seq > size) return null;
  const { proof } = await inclusionProof(tx, accountId, { seq: event.seq, size });
  return { seq: event.seq, leaf: leafOf(event), proof };
}

/** Null: retention has deleted the event. */
async function provenLeaf(
  tx: Reader,
  accountId: AccountId,
  { seq, size }: { readonly seq: number; readonly size: number },
): Promise<ProvenLeaf | null> {
  const [event] = await listEventRange(tx, accountId, seq, seq);
  if (event === undefined) return null;
  const { proof } = await inclusionProof(tx, accountId, { seq, size });
  return { seq, leaf: leafOf(event), proof };
}

/** Whether the note is of a log that was lost, since ours of that size differs. */
async function isOfOther(
  store: Store,
  accountId: AccountId,
  { note, newest }: { readonly note: string; readonly newest: StoredCheckpoint },
): Promise<boolean> {
  const [theirs, ours] = [readNote(note), readNote(newest.note)];
  if (theirs === undefined || ours === undefined || theirs.size === 0) return false;
  const sizes = { from: theirs.size, to: ours.size };
  return store.read(async (tx) => {
    // Without a loss nothing needs to be compared.
    if ((await acknowledgedLoss(tx, accountId, theirs.size)) === null) return false;
    const proof = await consistencyProof(tx, accountId, sizes);
    return !isConsistent(
      theirs,
      ours,
      proof.map((hash) => Buffer.from(hash, "base64")),
    );
  });
}
