/**
 * How much of a spool is whose: of the person that an event tells of, or of the peer where there is no person.
 *
 * Counts, and says whether one more event fits. Knows no files: what is on disk is named by its segment.
 *
 * @module
 */
import type { AgentEventBody } from "../wire/audit-event.ts";

/** A user's or a peer's id. Null: nobody's. */
export type Owner = string | null;

/** As long as no more than this is filled, anybody may have it. */
const COMMON_SHARE = 3 / 8;
/** Beyond that, what one may have: whoever fills their own share keeps nobody else out. */
const OWNER_SHARE = 1 / 8;

/**
 * The share that denials and what is done with files may fill: who is refused can ask for ever, who is let
 * in can open files for ever, and neither must keep others out by it.
 */
const MANY_SHARE = 0.75;

/** How much of the spool an event like `body` may find filled. The rest is for who is let in. */
export function shareOfKind(body: AgentEventBody, unprovenShare: number): number {
  if (body.type === "auth.failed") return unprovenShare;
  if (body.type === "sftp.operations") return MANY_SHARE;
  return body.type === "decision" && body.decision.outcome === "deny" ? MANY_SHARE : 1;
}

export class SpoolShares {
  readonly #bytes = new Map<string, number>();
  readonly #segments = new Map<string, Map<string, number>>();
  /** Who has been refused something, and got no room since. */
  readonly #refused = new Set<string>();
  /** Of connections without a person: their later events do not say whose they are. */
  readonly #peers = new Map<string, string>();

  /** Whose the event is. */
  ownerOf(body: AgentEventBody): Owner {
    if (body.type === "decision") return body.request.userId ?? body.request.devicePeerId;
    if (body.type === "connection.open") return body.userId ?? body.devicePeerId;
    if (body.type === "auth.failed" || body.type === "agent.state") return null;
    return body.userId ?? this.#peers.get(body.connectionId) ?? null;
  }

  /** Whether `bytes` more of `owner` fit into a spool of which `used` are taken. */
  hasRoom(
    owner: string,
    bytes: number,
    spool: { readonly used: number; readonly bytesMax: number },
  ): boolean {
    if (spool.used + bytes <= spool.bytesMax * COMMON_SHARE) return true;
    return (this.#bytes.get(owner) ?? 0) + bytes <= spool.bytesMax * OWNER_SHARE;
  }

  /** Notes that there was no room for `owner`. True: the first time since there was. */
  isNews(owner: string): boolean {
    const isNews = !this.#refused.has(owner);
    this.#refused.add(owner);
    return isNews;
  }

  /** Takes bytes before they are written. */
  take(owner: Owner, bytes: number): void {
    if (owner !== null) this.#bytes.set(owner, (this.#bytes.get(owner) ?? 0) + bytes);
  }

  /** Gives back what was taken: it was not written. */
  give(owner: Owner, bytes: number): void {
    if (owner === null) return;
    this.#refused.delete(owner);
    const left = (this.#bytes.get(owner) ?? 0) - bytes;
    if (left <= 0) this.#bytes.delete(owner);
    else this.#bytes.set(owner, left);
  }

  /** What was taken is in the file at `path` now. */
  stored(path: string, owner: Owner, body: AgentEventBody, bytes: number): void {
    this.#follow(body);
    if (owner === null) return;
    const inSegment = this.#segments.get(path) ?? new Map<string, number>();
    inSegment.set(owner, (inSegment.get(owner) ?? 0) + bytes);
    this.#segments.set(path, inSegment);
  }

  /** An event that is found in the file at `path`. */
  found(path: string, body: AgentEventBody, bytes: number): void {
    const owner = this.ownerOf(body);
    this.take(owner, bytes);
    this.stored(path, owner, body, bytes);
  }

  /** The file at `path` is gone. */
  dropped(path: string): void {
    for (const [owner, bytes] of this.#segments.get(path) ?? []) this.give(owner, bytes);
    this.#segments.delete(path);
  }

  #follow(body: AgentEventBody): void {
    if (body.type === "connection.close") this.#peers.delete(body.connectionId);
    if (body.type !== "connection.open" || body.userId !== null || body.devicePeerId === null) return;
    this.#peers.set(body.connectionId, body.devicePeerId);
  }
}
