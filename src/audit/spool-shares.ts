/**
 * Shares of the spool: how many bytes of it belong to each person, or to the peer of an event about nobody.
 *
 * Counts bytes, and says whether one more event fits. Does no I/O; segments are known by their paths.
 *
 * @module
 */
import type { AgentEventBody } from "../wire/audit-event.ts";

/** Id of a user or a peer. Null: the event is about nobody, and counts for no share. */
export type Owner = string | null;

/** While no more than this part of the spool is filled, shares do not count. */
const COMMON_SHARE = 3 / 8;
/** Beyond that, the part that one owner may fill, so that they keep nobody else out. */
const OWNER_SHARE = 1 / 8;

/**
 * The part that denials and SFTP operations may fill. A person who is refused can ask again without end, and
 * one who is let in can open files without end; neither must keep others out.
 */
const MANY_SHARE = 0.75;

/** The part of the spool, 0 to 1, up to which events like `body` are taken. The rest is kept for sessions. */
export function shareOfKind(body: AgentEventBody, unprovenShare: number): number {
  if (body.type === "auth.failed") return unprovenShare;
  if (body.type === "sftp.operations") return MANY_SHARE;
  return body.type === "decision" && body.decision.outcome === "deny" ? MANY_SHARE : 1;
}

/** Whether the event is the end of something that has begun. */
export function isEnd({ type }: AgentEventBody): boolean {
  return type === "session.end" || type === "forward.close" || type === "connection.close";
}

export class SpoolShares {
  readonly #bytes = new Map<string, number>();
  readonly #segments = new Map<string, Map<string, number>>();
  /** Owners that had no room, and have got none back since. */
  readonly #refused = new Set<string>();
  /** The peer of each connection without a person, whose later events do not name it. */
  readonly #peers = new Map<string, string>();

  /** The owner of the share that an event counts for. */
  ownerOf(body: AgentEventBody): Owner {
    if (body.type === "decision") return body.request.userId ?? body.request.devicePeerId;
    if (body.type === "connection.open") return body.userId ?? body.devicePeerId;
    if (body.type === "auth.failed" || body.type === "agent.state") return null;
    return body.userId ?? this.#peers.get(body.connectionId) ?? null;
  }

  /** Whether `bytes` more of `owner` fit into a spool of `bytesMax`, of which `used` are filled by all. */
  hasRoom(
    owner: string,
    bytes: number,
    spool: { readonly used: number; readonly bytesMax: number },
  ): boolean {
    if (spool.used + bytes <= spool.bytesMax * COMMON_SHARE) return true;
    return (this.#bytes.get(owner) ?? 0) + bytes <= spool.bytesMax * OWNER_SHARE;
  }

  /** Notes that `owner` had no room. True: for the first time since they had. */
  isNews(owner: string): boolean {
    const isNews = !this.#refused.has(owner);
    this.#refused.add(owner);
    return isNews;
  }

  /** Counts bytes that are about to be written. */
  take(owner: Owner, bytes: number): void {
    if (owner !== null) this.#bytes.set(owner, (this.#bytes.get(owner) ?? 0) + bytes);
  }

  /** Takes bytes back: they were not written, or their segment is gone. */
  give(owner: Owner, bytes: number): void {
    if (owner === null) return;
    this.#refused.delete(owner);
    const left = (this.#bytes.get(owner) ?? 0) - bytes;
    if (left <= 0) this.#bytes.delete(owner);
    else this.#bytes.set(owner, left);
  }

  /** Bytes that were counted by `take` are now in the segment at `path`. */
  stored(path: string, owner: Owner, body: AgentEventBody, bytes: number): void {
    this.#follow(body);
    if (owner === null) return;
    const inSegment = this.#segments.get(path) ?? new Map<string, number>();
    inSegment.set(owner, (inSegment.get(owner) ?? 0) + bytes);
    this.#segments.set(path, inSegment);
  }

  /** Counts an event that was found in the segment at `path`. */
  found(path: string, body: AgentEventBody, bytes: number): void {
    const owner = this.ownerOf(body);
    this.take(owner, bytes);
    this.stored(path, owner, body, bytes);
  }

  /** The segment at `path` is gone: takes back what was in it. */
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
