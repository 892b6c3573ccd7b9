/**
 * Stores audit events from agents' links, within each machine's share, and acknowledges what is stored.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import type { AgentEvent } from "../../wire/audit-event.ts";
import type { SignedBatch } from "../../wire/log-entry.ts";
import type { PeerId } from "../../wire/units.ts";
import type { ManagementContext } from "../contracts/context.ts";
import { findPeer } from "../db/tables/peers.ts";
import { ingestAgentEvents, type ReportingPeer } from "./audit-ingest.ts";
import { AuditShare } from "./audit-share.ts";
import type { AgentLink } from "./link.ts";
import { type ProvenBatch, proveBatch } from "./prove-batch.ts";
import { recordShareUsedUp } from "./report-store.ts";

/** The events of one message, and the machine's signature over them. */
interface Upload {
  readonly events: readonly AgentEvent[];
  readonly batch?: SignedBatch | undefined;
}

type Reporting = Pick<AgentLink, "peerId" | "accountId" | "name" | "refresh" | "send">;

export class AuditIntake {
  readonly #ctx: ManagementContext;
  readonly #share: AuditShare;

  /** `bytesPerDay`: see `audit-share.ts`. */
  constructor(ctx: ManagementContext, bytesPerDay?: number) {
    this.#ctx = ctx;
    this.#share = new AuditShare(ctx.clock, bytesPerDay);
  }

  /** Whether events of this machine are currently held back. */
  isHeldBack(peerId: PeerId): boolean {
    return this.#share.isUsedUp(peerId);
  }

  /**
   * Stores `events` and acknowledges them. A machine that has used up its share gets no answer; it keeps the
   * events and sends them again later. Rejects if they cannot be stored.
   */
  async take(link: Reporting, { events, batch }: Upload): Promise<void> {
    const { store, log } = this.#ctx;
    const peer = { id: link.peerId, accountId: link.accountId, name: link.name };
    const answer = this.#share.take(peer.id, Buffer.byteLength(JSON.stringify(events)));
    if (answer === "first") {
      log.warn("a machine has used up its share of audit events", { peerId: peer.id, name: peer.name });
      await recordShareUsedUp(this.#ctx, peer);
    }
    if (answer !== "taken") return;
    const proven = batch === undefined ? null : await this.#prove(peer, { events, batch });
    const through = await ingestAgentEvents(store, peer, events, proven);
    if (through === undefined) return link.refresh(); // Gone: the refresh says so.
    link.send({ type: "audit_ack", throughSeq: through });
  }

  /** Throws ERR_BAD_REQUEST for a batch that is not the machine's, which ends the link. */
  async #prove(
    peer: ReportingPeer,
    upload: { readonly events: readonly AgentEvent[]; readonly batch: SignedBatch },
  ): Promise<ProvenBatch | null> {
    const { store, origin, logs } = this.#ctx;
    const row = await store.read((tx) => findPeer(tx, peer.accountId, peer.id));
    if (row === undefined) return null; // Gone: nothing of it is stored.
    // A batch signed before management moved names the address of that time.
    const moves = (await logs.identity(peer.accountId))?.moves ?? [];
    for (const management of [origin, ...moves.map(({ from }) => from)]) {
      const proven = proveBatch(row, management, upload);
      if (proven !== null) return proven;
    }
    throw new QfError("ERR_BAD_REQUEST", "a machine's batch is not signed by it, or not of its events");
  }
}

/**
 * Settles from which event the machine uploads. If it is behind, it missed acknowledgements. If it is ahead,
 * an older backup of our data was restored, and the machine may still have what was lost.
 */
export function tellOfEvents(
  link: Pick<AgentLink, "send">,
  next: { readonly theirs: number; readonly ours: number },
): void {
  if (next.theirs < next.ours) link.send({ type: "audit_ack", throughSeq: next.ours - 1 });
  if (next.theirs > next.ours && next.ours > 1) link.send({ type: "audit_resend", fromSeq: next.ours });
}
