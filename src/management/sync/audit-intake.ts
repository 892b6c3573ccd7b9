/**
 * Audit events on their way from an agent's link into the store: within the machine's share, and
 * acknowledged once they are stored.
 *
 * @module
 */
import type { AgentEvent } from "../../wire/audit-event.ts";
import type { PeerId } from "../../wire/units.ts";
import type { ManagementContext } from "../contracts/context.ts";
import { ingestAgentEvents } from "./audit-ingest.ts";
import { AuditShare } from "./audit-share.ts";
import type { AgentLink } from "./link.ts";
import { recordShareUsedUp } from "./report-store.ts";

type Reporting = Pick<AgentLink, "peerId" | "accountId" | "name" | "refresh" | "send">;

export class AuditIntake {
  readonly #ctx: ManagementContext;
  readonly #share: AuditShare;

  /** `bytesPerDay`: see `audit-share.ts`. */
  constructor(ctx: ManagementContext, bytesPerDay?: number) {
    this.#ctx = ctx;
    this.#share = new AuditShare(ctx.clock, bytesPerDay);
  }

  /** Whether nothing is taken of this machine now. */
  isHeldBack(peerId: PeerId): boolean {
    return this.#share.isUsedUp(peerId);
  }

  /**
   * Stores `events` and acknowledges them. A machine that has used up its share gets no answer: it keeps the
   * events and sends them again later. Rejects when they cannot be stored.
   */
  async take(link: Reporting, events: readonly AgentEvent[]): Promise<void> {
    const { store, log } = this.#ctx;
    const peer = { id: link.peerId, accountId: link.accountId, name: link.name };
    const answer = this.#share.take(peer.id, Buffer.byteLength(JSON.stringify(events)));
    if (answer === "first") {
      log.warn("a machine has used up its share of audit events", { peerId: peer.id, name: peer.name });
      await recordShareUsedUp(this.#ctx, peer);
    }
    if (answer !== "taken") return;
    const through = await ingestAgentEvents(store, peer, events);
    if (through === undefined) return link.refresh(); // Gone: the refresh says so.
    link.send({ type: "audit_ack", throughSeq: through });
  }
}
